"""How far an explanation can be trusted: one file for each kind of check."""

from explorer.trust.base import CHECKS, Check, Outcome, check
from explorer.trust.trial import Trial

__all__ = ["CHECKS", "Check", "Outcome", "Trial", "check"]
