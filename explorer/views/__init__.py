"""What a person sees: panels over the library; the only package that imports streamlit."""
