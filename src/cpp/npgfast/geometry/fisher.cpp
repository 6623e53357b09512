#include "npgfast/geometry/fisher.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "npgfast/base/simd.hpp"
#include "npgfast/base/vector.hpp"
#include "npgfast/geometry/gram.hpp"

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

/// row[a] = weight pi[a] (row[a] - pi.row); for 2, 4 or 8 actions in registers.
template <class Size>
void scale_centered(const double* pi, double weight, Size n_actions, double* row) {
    if constexpr (!std::is_same_v<Size, Index>) {
        if constexpr (constexpr int A = Size::value; A == 2 || A == 4 || A == 8) {
            constexpr int W = std::min(A, kSimdWidth), P = A / W;
            Packet<W> probs[P], values[P], sum{};
            for (int p = 0; p < P; ++p) {
                probs[p] = load<W>(pi + p * W);
                values[p] = load<W>(row + p * W);
                sum += probs[p] * values[p];
            }
            const Packet<W> mean = sum_of_lanes<W>(sum);
            for (int p = 0; p < P; ++p) store<W>(row + p * W, weight * (probs[p] * (values[p] - mean)));
            return;
        }
    }
    double mean = 0.0;
    for (Index a = 0; a < n_actions; ++a) mean += pi[a] * row[a];
    for (Index a = 0; a < n_actions; ++a) row[a] = weight * (pi[a] * (row[a] - mean));
}

}  // namespace

FisherOperator::FisherOperator(const SoftmaxPolicy& policy, Reals probs, const BatchSummary& summary,
                               Estimator estimator, double damping, Team& team)
    : policy_(policy), probs_(probs), summary_(summary), estimator_(estimator), damping_(damping),
      sweep_(policy.rows(), team) {}

double FisherOperator::ridge() {
    if (!ridge_) ridge_ = damping_ > 0.0 ? damping_ * trace() / static_cast<double>(size()) : 0.0;
    return *ridge_;
}

void FisherOperator::multiply(Reals vector, MutableReals result) {
    const auto visit = [&](Index first, Index last, double* block, double*) {
        with_constant(policy_.n_actions, [&](auto n_actions) {
            const double* pi = probs_.data() + first * n_actions;
            double* row = block;
            for (Index s = first; s < last; ++s, row += n_actions, pi += n_actions) {
                if (estimator_ == Estimator::analytic) {
                    scale_centered(pi, summary_.state_weights[s], n_actions, row);
                    continue;
                }
                double mean = 0.0;
                for (Index a = 0; a < n_actions; ++a) mean += pi[a] * row[a];
                for (Index a = 0; a < n_actions; ++a) row[a] -= mean;
                keep_weighted(s, n_actions, row);
                const auto size = static_cast<std::size_t>(n_actions);
                center_by_policy({pi, size}, n_actions, {row, size});
            }
        });
    };
    sweep_(vector, visit, result);
    if (ridge() > 0.0) axpy(ridge(), vector.data(), result.data(), size());
}

/// row[a] *= the weight of (state, a).
void FisherOperator::keep_weighted(Index state, Index n_actions, double* row) const {
    if (summary_.pair_weights.actions.empty()) {
        summary_.pair_weights.for_each(state, n_actions, [&](Index a, double weight) { row[a] = weight * row[a]; });
        return;
    }
    summary_.pair_weights.for_each(state, n_actions, [&](Index chosen, double weight) {
        const double kept = weight * row[chosen];
        std::fill_n(row, n_actions, 0.0);
        row[chosen] = kept;
    });
}

double FisherOperator::quadratic(Reals vector) {
    const auto visit = [&](Index first, Index last, double* block, double* total) {
        with_constant(policy_.n_actions, [&](auto n_actions) {
            double* row = block;
            for (Index s = first; s < last; ++s, row += n_actions) {
                const double* pi = probs_.data() + s * n_actions;
                double mean = 0.0;
                for (Index a = 0; a < n_actions; ++a) mean += pi[a] * row[a];
                const auto add = [&](Index a, double weight) {
                    *total += weight * ((row[a] - mean) * (row[a] - mean));
                };
                if (estimator_ == Estimator::analytic)
                    for (Index a = 0; a < n_actions; ++a) add(a, summary_.state_weights[s] * pi[a]);
                else
                    summary_.pair_weights.for_each(s, n_actions, add);
            }
        });
    };
    double sum = 0.0;
    sweep_(vector, visit, {}, {&sum, 1});
    return sum;
}

double FisherOperator::trace() {
    const Index n_actions = policy_.n_actions;
    const auto visit = [&](Index first, Index last, double*, double* total) {
        std::vector<double> mean;
        for (Index s = first; s < last; ++s)
            if (summary_.state_weights[s] > 0.0) *total += state_trace(s, probs_.data() + s * n_actions, mean);
    };
    double sum = 0.0;
    sweep_({}, visit, {}, {&sum, 1});
    return sum;
}

double FisherOperator::state_trace(Index s, const double* pi, std::vector<double>& mean) const {
    const Index n_actions = policy_.n_actions, d = policy_.n_params, m = policy_.n_shared_features;
    const bool is_analytic = estimator_ == Estimator::analytic;
    const double weight = summary_.state_weights[s];
    double sum = 0.0;
    if (policy_.is_tabular() || m > 0) {
        // E |e_a - pi|^2, times |phi(s)|^2 where the score is phi(s) (x) (e_a - pi)
        double before = 0.0;  // sum_a pi_a (1 - pi_a) = 2 sum_(b < a) pi_a pi_b
        for (Index a = 0; is_analytic && a < n_actions; ++a) {
            sum += 2.0 * weight * pi[a] * before;
            before += pi[a];
        }
        if (!is_analytic)
            summary_.pair_weights.for_each(s, n_actions, [&](Index a, double pair_weight) {
                if (pair_weight > 0.0) sum += pair_weight * squared_logit_score(pi, a, n_actions);
            });
        const double* phi = policy_.features.data() + s * m;
        return m > 0 ? sum * dot(phi, phi, m) : sum;
    }
    mean.assign(static_cast<std::size_t>(d), 0.0);
    const double* rows = policy_.features.data() + s * n_actions * d;
    for (Index a = 0; a < n_actions; ++a)
        if (pi[a] > 0.0) axpy(pi[a], rows + a * d, mean.data(), d);
    const auto add = [&](Index a, double share) {
        if (!(share > 0.0)) return;
        double squared_norm = 0.0;
        for (Index j = 0; j < d; ++j) squared_norm += (rows[a * d + j] - mean[j]) * (rows[a * d + j] - mean[j]);
        sum += share * squared_norm;
    };
    if (is_analytic)
        for (Index a = 0; a < n_actions; ++a) add(a, weight * pi[a]);
    else
        summary_.pair_weights.for_each(s, n_actions, add);
    return sum;
}

std::vector<double> FisherOperator::dense() {
    const Index d = size();
    std::vector<double> fisher(static_cast<std::size_t>(d * d), 0.0);
    if (policy_.is_tabular()) add_blocks(fisher);
    else if (policy_.n_shared_features > 0) add_shared(fisher);
    else add_centered(fisher);
    double trace = 0.0;
    for (Index j = 0; j < d; ++j) trace += fisher[j * d + j];
    if (!ridge_) ridge_ = damping_ * trace / static_cast<double>(d);
    for (Index j = 0; j < d; ++j) fisher[j * d + j] += *ridge_;
    return fisher;
}

/// Tabular: the block of each state.
void FisherOperator::add_blocks(MutableReals fisher) const {
    const Index n_actions = policy_.n_actions, d = size();
    for (Index s = 0; s < policy_.n_states; ++s) {
        if (!(summary_.state_weights[s] > 0.0)) continue;
        const Index first = s * n_actions;
        add_logit_fisher(estimator_, probs_.data() + first, summary_.state_weights[s],
                         summary_.pair_weights.table.data() + first, n_actions, fisher.data() + first * d + first, d);
    }
}

/// Shared features: F[(i,a),(j,b)] = sum_s phi_i phi_j B_ab(s), one Gram matrix for each pair of actions. The rows of B
/// sum to 0; analytically B_ab = -w pi_a pi_b off the diagonal, which the diagonal is summed from without cancellation.
void FisherOperator::add_shared(MutableReals fisher) {
    const Index n_actions = policy_.n_actions, m = policy_.n_shared_features, d = size(), n_gram = gram_size(m);
    const bool is_analytic = estimator_ == Estimator::analytic;
    std::vector<std::pair<Index, Index>> pairs;
    for (Index a = 0; a < n_actions; ++a)
        for (Index b = a + is_analytic; b < n_actions; ++b) pairs.emplace_back(a, b);
    const auto visit = [&](Index first, Index last, double*, double* grams) {
        std::vector<double> coefficients(static_cast<std::size_t>(last - first)), scratch(8 * coefficients.size());
        for (const auto& [a, b] : pairs) {
            for (Index s = first; s < last; ++s) {
                const double* pi = probs_.data() + s * n_actions;
                double& sum = coefficients[s - first];
                sum = is_analytic ? summary_.state_weights[s] * (pi[a] * pi[b]) : 0.0;
                if (is_analytic) continue;
                summary_.pair_weights.for_each(s, n_actions, [&, a = a, b = b](Index chosen, double weight) {
                    sum += weight * (((a == chosen) - pi[a]) * ((b == chosen) - pi[b]));
                });
            }
            add_gram(policy_.features.data() + first * m, last - first, m, coefficients.data(), scratch.data(), grams);
            grams += n_gram;
        }
    };
    std::vector<double> grams(pairs.size() * static_cast<std::size_t>(n_gram)), square(static_cast<std::size_t>(m * m));
    sweep_({}, visit, {}, grams);
    for (std::size_t k = 0; k < pairs.size(); ++k) {
        const auto [a, b] = pairs[k];
        unpack_gram(grams.data() + static_cast<Index>(k) * n_gram, m, square);
        for (Index i = 0; i < m; ++i)
            for (Index j = 0; j < m; ++j) {
                const double entry = square[i * m + j];
                const Index aa = (i * n_actions + a) * d + j * n_actions + a, bb = aa + (b - a) * (d + 1);
                fisher[aa + (b - a)] = fisher[bb - (b - a)] = is_analytic ? -entry : entry;
                if (!is_analytic) continue;
                fisher[aa] += entry;
                fisher[bb] += entry;
            }
    }
}

/// Features of pairs: the Gram matrix of phi(s,a) - E_pi phi(s,.).
void FisherOperator::add_centered(MutableReals fisher) {
    const Index n_actions = policy_.n_actions, d = size();
    const auto visit = [&](Index first, Index last, double*, double* gram) {
        const Index n = (last - first) * n_actions;
        std::vector<double> rows(static_cast<std::size_t>(n * d)), mean(static_cast<std::size_t>(d));
        std::vector<double> coefficients(static_cast<std::size_t>(n), 0.0), scratch(8 * coefficients.size());
        for (Index s = first; s < last; ++s) {
            const double *pi = probs_.data() + s * n_actions, *phi = policy_.features.data() + s * n_actions * d;
            double *shares = coefficients.data() + (s - first) * n_actions,
                   *row = rows.data() + (s - first) * n_actions * d;
            std::fill(mean.begin(), mean.end(), 0.0);
            for (Index a = 0; a < n_actions; ++a)
                if (pi[a] > 0.0) axpy(pi[a], phi + a * d, mean.data(), d);
            for (Index a = 0; a < n_actions; ++a) shares[a] = summary_.state_weights[s] * pi[a];
            if (estimator_ == Estimator::empirical)
                summary_.pair_weights.for_each(s, n_actions, [&](Index a, double weight) { shares[a] = weight; });
            for (Index a = 0; a < n_actions; ++a)
                for (Index j = 0; j < d; ++j) row[a * d + j] = shares[a] > 0.0 ? phi[a * d + j] - mean[j] : 0.0;
        }
        add_gram(rows.data(), n, d, coefficients.data(), scratch.data(), gram);
    };
    std::vector<double> gram(static_cast<std::size_t>(gram_size(d)));
    sweep_({}, visit, {}, gram);
    unpack_gram(gram.data(), d, fisher);
}

}  // namespace npgfast
