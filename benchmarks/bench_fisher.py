"""Fisher-vector products, analytic."""

from suite import suite

test_fisher = suite("fisher")
test_fisher_log_linear = suite("fisher-log-linear")
