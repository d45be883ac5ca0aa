"""What a run spends on models: each reply is kept before it is used, and caps hold for each call.

`journal` keeps replies; `account` is what one run may spend, and where its replies are kept.
"""
