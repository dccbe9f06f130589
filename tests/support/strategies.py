"""What Hypothesis draws."""

from hypothesis import strategies as st

text = st.text(st.characters(codec="utf-8"), max_size=12)
json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)
"""Anything that JSON can say."""
