#include "npgfast/geometry/fisher.hpp"

#include <Eigen/Core>

#include "npgfast/base/vector.hpp"

namespace npgfast {

void add_logit_fisher(Estimator estimator, const double* probs, double state_weight, const double* pair_weights,
                      Index n_actions, double* block, Index stride) {
    if (estimator == Estimator::analytic) {
        // pi_a (1 - pi_a) as sum_b pi_a pi_b over the others: 1 - pi cancels where the policy is nearly certain.
        for (Index a = 0; a < n_actions; ++a) {
            for (Index b = 0; b < n_actions; ++b) {
                if (a == b) continue;
                const double share = state_weight * (probs[a] * probs[b]);
                block[a * stride + b] -= share;
                block[a * stride + a] += share;
            }
        }
        return;
    }
    // Product by product: multiplied out, 1 - 2 pi + pi^2 cancels as well.
    for (Index chosen = 0; chosen < n_actions; ++chosen) {
        if (!(pair_weights[chosen] > 0.0)) continue;
        for (Index a = 0; a < n_actions; ++a) {
            const double slope = (a == chosen ? 1.0 : 0.0) - probs[a];
            for (Index b = 0; b < n_actions; ++b)
                block[a * stride + b] += pair_weights[chosen] * (slope * ((b == chosen ? 1.0 : 0.0) - probs[b]));
        }
    }
}

namespace {

/// |e_a - pi|^2
double squared_logit_score(const double* probs, Index action, Index n_actions) {
    double sum = 0.0;
    for (Index b = 0; b < n_actions; ++b) {
        const double slope = (b == action ? 1.0 : 0.0) - probs[b];
        sum += slope * slope;
    }
    return sum;
}

}  // namespace

FisherOperator::FisherOperator(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary,
                               Estimator estimator, double damping)
    : policy_(policy), probs_(probs), summary_(summary), estimator_(estimator), table_(probs.size()) {
    if (damping > 0.0) ridge_ = damping * trace() / static_cast<double>(size());
}

double FisherOperator::trace() const {
    double trace = 0.0;
    const Index n_actions = policy_.n_actions, d = policy_.n_params;
    std::vector<double> mean(static_cast<std::size_t>(policy_.is_tabular() ? 0 : d));
    for (Index s = 0; s < policy_.n_states; ++s) {
        const double* pi = probs_.data() + s * n_actions;
        const double* pair_weights = summary_.pair_weights.data() + s * n_actions;
        const double weight = summary_.state_weights[s];
        if (!(weight > 0.0)) continue;
        if (policy_.is_tabular() || policy_.n_shared_features > 0) {
            // E |e_a - pi|^2, times |phi(s)|^2 where the score is phi(s) (x) (e_a - pi)
            const Index m = policy_.n_shared_features;
            const double* phi = policy_.features.data() + s * m;
            const double scale = m > 0 ? dot(phi, phi, m) : 1.0;
            double before = 0.0;  // sum_a pi_a (1 - pi_a) = 2 sum_(b < a) pi_a pi_b
            for (Index a = 0; a < n_actions; ++a) {
                if (estimator_ == Estimator::analytic)
                    trace += scale * (2.0 * weight * pi[a] * before);
                else if (pair_weights[a] > 0.0)
                    trace += scale * (pair_weights[a] * squared_logit_score(pi, a, n_actions));
                before += pi[a];
            }
            continue;
        }
        std::fill(mean.begin(), mean.end(), 0.0);
        const double* rows = policy_.features.data() + s * n_actions * d;
        for (Index a = 0; a < n_actions; ++a)
            if (pi[a] > 0.0) axpy(pi[a], rows + a * d, mean.data(), d);
        for (Index a = 0; a < n_actions; ++a) {
            const double share = estimator_ == Estimator::analytic ? weight * pi[a] : pair_weights[a];
            if (!(share > 0.0)) continue;
            double squared_norm = 0.0;
            for (Index j = 0; j < d; ++j) squared_norm += (rows[a * d + j] - mean[j]) * (rows[a * d + j] - mean[j]);
            trace += share * squared_norm;
        }
    }
    return trace;
}

void FisherOperator::multiply(Reals vector, MutableReals result) {
    const Index n_actions = policy_.n_actions;
    policy_.lift(vector, table_);
    for (Index s = 0; s < policy_.n_states; ++s) {
        double* row = table_.data() + s * n_actions;
        const double* pi = probs_.data() + s * n_actions;
        double mean = 0.0;
        for (Index a = 0; a < n_actions; ++a) mean += pi[a] * row[a];
        if (estimator_ == Estimator::analytic) {
            for (Index a = 0; a < n_actions; ++a) row[a] = summary_.state_weights[s] * (pi[a] * (row[a] - mean));
        } else {
            const double* pair_weights = summary_.pair_weights.data() + s * n_actions;
            for (Index a = 0; a < n_actions; ++a) row[a] = pair_weights[a] * (row[a] - mean);
        }
    }
    if (estimator_ == Estimator::empirical) center_by_policy(probs_, n_actions, table_);
    policy_.project(table_, result);
    for (Index j = 0; j < size(); ++j) result[j] += ridge_ * vector[j];
}

double FisherOperator::quadratic(Reals vector) {
    const Index n_actions = policy_.n_actions;
    policy_.lift(vector, table_);
    double sum = 0.0;
    for (Index s = 0; s < policy_.n_states; ++s) {
        const double* row = table_.data() + s * n_actions;
        const double* pi = probs_.data() + s * n_actions;
        double mean = 0.0;
        for (Index a = 0; a < n_actions; ++a) mean += pi[a] * row[a];
        for (Index a = 0; a < n_actions; ++a) {
            const double share = estimator_ == Estimator::analytic ? summary_.state_weights[s] * pi[a]
                                                                   : summary_.pair_weights[s * n_actions + a];
            sum += share * ((row[a] - mean) * (row[a] - mean));
        }
    }
    return sum;
}

std::vector<double> FisherOperator::dense() const {
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Index n_actions = policy_.n_actions, d = size(), m = policy_.n_shared_features;
    std::vector<double> result(static_cast<std::size_t>(d * d), 0.0);
    Eigen::Map<Matrix> fisher(result.data(), d, d);
    Matrix block(n_actions, n_actions);
    Matrix blocks = Matrix::Zero(m > 0 ? policy_.n_states : 0, n_actions * n_actions);  // of all states, if shared
    for (Index s = 0; s < policy_.n_states; ++s) {
        if (!(summary_.state_weights[s] > 0.0)) continue;
        const Index first = s * n_actions;
        block.setZero();
        add_logit_fisher(estimator_, probs_.data() + first, summary_.state_weights[s],
                         summary_.pair_weights.data() + first, n_actions, block.data(), n_actions);
        if (policy_.is_tabular()) {
            fisher.block(first, first, n_actions, n_actions) = block;
        } else if (m > 0) {
            blocks.row(s) = Eigen::Map<const Eigen::RowVectorXd>(block.data(), n_actions * n_actions);
        } else {
            const Eigen::Map<const Matrix> rows(policy_.features.data() + first * d, n_actions, d);
            const Matrix weighted = block * rows;
            fisher.noalias() += rows.transpose() * weighted;
        }
    }
    if (m > 0) {
        // F[(i,a),(j,b)] = sum_s phi_i(s) phi_j(s) block_ab(s)
        const Eigen::Map<const Matrix> phi(policy_.features.data(), policy_.n_states, m);
        for (Index a = 0; a < n_actions; ++a) {
            for (Index b = a; b < n_actions; ++b) {
                const Matrix product = phi.transpose() * (blocks.col(a * n_actions + b).asDiagonal() * phi);
                for (Index i = 0; i < m; ++i)
                    for (Index j = 0; j < m; ++j)
                        fisher(i * n_actions + a, j * n_actions + b) = fisher(j * n_actions + b, i * n_actions + a) =
                            product(i, j);
            }
        }
    }
    // Products of a symmetric block from both sides differ in the last bit across the diagonal.
    for (Index i = 0; i < d; ++i) {
        fisher(i, i) += ridge_;
        for (Index j = 0; j < i; ++j) fisher(i, j) = fisher(j, i) = 0.5 * (fisher(i, j) + fisher(j, i));
    }
    return result;
}

}  // namespace npgfast
