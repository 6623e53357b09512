#include "npgfast/policies/linear.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "npgfast/base/lane_math.hpp"

namespace npgfast {

namespace {

std::size_t group_size(Index rows) { return static_cast<std::size_t>(rows * kGroup); }

/// outputs (K, kGroup) = features^T W + bias, term after term, for K of the n_outputs columns of W (m, n_outputs).
template <int K>
void set_outputs(Index n, const double* features, Index m, const double* weights, const double* bias, Index n_outputs,
                 double* outputs) {
    for (Index lane = 0; lane < n; lane += kWidth) {
        std::array<Lanes, K> sums{};
        for (Index j = 0; j < m; ++j) {
            const Lanes phi = load(features + j * kGroup + lane);
            for (int a = 0; a < K; ++a) sums[a] += phi * weights[j * n_outputs + a];
        }
        for (int a = 0; a < K; ++a)
            store(outputs + a * kGroup + lane, bias == nullptr ? sums[a] : sums[a] + bias[a]);
    }
}

/// A component of -gaussian_log_prob on lanes: (a - mean)^2 / (2 sigma^2) + log sigma + log(2 pi) / 2.
Lanes gaussian_surprise(Lanes action, Lanes mean, double log_std, double precision) {
    constexpr double kHalfLogTwoPi = 0.91893853320467274178;
    const Lanes z = (action - mean) * precision;
    return 0.5 * z * z + log_std + kHalfLogTwoPi;
}

}  // namespace

void LinearPolicy::feature_rows(Reals observations, MutableReals rows, Team& team) const {
    constexpr Index kRows = 64 * kGroup;  // of a task
    const Index size = features.observation_size, n_rows = std::ssize(observations) / size, m = features.n_features;
    const Index n_tasks = (n_rows + kRows - 1) / kRows;
    const auto evaluate = [&](Index task) {
        Column<double> given(group_size(size)), normalized(group_size(size)), phi(group_size(m));
        const Index end = std::min(n_rows, (task + 1) * kRows);
        for (Index first = task * kRows; first < end; first += kGroup) {
            const Index n = std::min(kGroup, end - first);
            gather(observations.data() + first * size, n, size, given.data());
            normalizer.apply(n, size, given.data(), normalized.data());
            features.evaluate(n, normalized.data(), phi.data());
            scatter(phi.data(), n, m, rows.data() + first * m);
        }
    };
    if (n_tasks < 4)
        for (Index task = 0; task < n_tasks; ++task) evaluate(task);
    else
        team.run(n_tasks, evaluate);
}

Actor::Actor(const LinearPolicy& policy, Reals theta)
    : policy_(policy), weights_(theta),
      log_std_(theta.last(static_cast<std::size_t>(policy.is_gaussian() ? policy.action_size : 0))),
      normalized_(group_size(policy.features.observation_size), 0.0),
      features_(group_size(policy.features.n_features), 0.0), outputs_(group_size(policy.n_outputs()), 0.0),
      shares_(group_size(policy.n_outputs()), 0.0) {
    for (double entry : log_std_) {
        sigma_.push_back(std::exp(entry));
        precision_.push_back(std::exp(-entry));
    }
}

void Actor::evaluate(Index n, const double* observations) {
    const FeatureMap& map = policy_.features;
    const Index n_outputs = policy_.n_outputs();
    if (!policy_.normalizer.mean.empty()) {
        policy_.normalizer.apply(n, map.observation_size, observations, normalized_.data());
        observations = normalized_.data();
    }
    if (map.kind == FeatureKind::tiles) {
        std::fill(outputs_.begin(), outputs_.end(), 0.0);
        for (Index lane = 0; lane < n; ++lane)
            for (Index tiling = 0; tiling < map.integers[0]; ++tiling) {
                const double* row = weights_.data() + map.tile(tiling, observations, lane) * n_outputs;
                for (Index a = 0; a < n_outputs; ++a) outputs_[a * kGroup + lane] += row[a];
            }
        return;
    }
    const bool is_linear = map.kind == FeatureKind::linear;  // then the observations are the features, but for the bias
    const double *features = observations, *bias = nullptr;
    const Index m = is_linear ? map.observation_size : map.n_features;
    if (!is_linear) {
        map.evaluate(n, observations, features_.data());
        features = features_.data();
    } else if (map.integers[0]) {
        bias = weights_.data() + m * n_outputs;
    }
    for (Index a = 0; a < n_outputs; a += 4) {
        const Index left = n_outputs - a;
        const auto set = left == 1   ? set_outputs<1>
                         : left == 2 ? set_outputs<2>
                         : left == 3 ? set_outputs<3>
                                     : set_outputs<4>;
        set(n, features, m, weights_.data() + a, bias == nullptr ? bias : bias + a, n_outputs,
            outputs_.data() + a * kGroup);
    }
}

void Actor::take_numbers(Index n, const GroupStream& random, Index n_steps, double* numbers) const {
    if (policy_.is_gaussian())
        random.normals(n, n_steps, policy_.action_size, numbers);
    else
        random.uniforms(n, n_steps, numbers);
}

void Actor::draw(Index n, const double* observations, const double* numbers, double* actions, double* log_probs,
                 double* sums) {
    evaluate(n, observations);
    if (policy_.is_gaussian())
        add_normals(n, numbers, actions, log_probs);
    else if (policy_.n_actions == 2)
        choose_of_two(n, numbers, actions, log_probs, sums);
    else
        choose(n, numbers, actions, log_probs, sums);
}

void Actor::complete(Index n, Index n_steps, const double* sums, double* log_probs) const {
    if (policy_.is_gaussian()) return;
    const bool is_of_two = policy_.n_actions == 2;
    for (Index row = 0; row < n_steps * kGroup; row += kGroup)
        for (Index i = row; i < row + n; i += kWidth) {
            const Lanes sum = load(sums + i);
            store(log_probs + i, load(log_probs + i) - (is_of_two ? log1p_lanes(sum) : log_lanes(sum)));
        }
}

/// One of the two exponentials is 1, and the other, which stands for the sum, e^-|difference of the outputs|.
void Actor::choose_of_two(Index n, const double* uniforms, double* actions, double* log_probs, double* sums) {
    for (Index lane = 0; lane < n; lane += kWidth) {
        const Lanes difference = load(outputs_.data() + kGroup + lane) - load(outputs_.data() + lane);
        const Lanes margin = -magnitude(difference), share = exp_negative_lanes(margin);
        const LaneInts first_is_largest = difference <= 0.0;
        const Lanes rest = load(uniforms + lane) * (1.0 + share);
        const LaneInts takes_first = rest < (first_is_largest ? all_lanes(1.0) : share);
        store(actions + lane, takes_first ? Lanes{} : all_lanes(1.0));
        store(log_probs + lane, takes_first == first_is_largest ? Lanes{} : margin);
        store(sums + lane, share);
    }
}

void Actor::choose(Index n, const double* uniforms, double* actions, double* log_probs, double* sums) {
    const Index n_outputs = policy_.n_outputs();
    for (Index lane = 0; lane < n; lane += kWidth) {
        double* outputs = outputs_.data() + lane;
        double* shares = shares_.data() + lane;
        Lanes largest = load(outputs), sum{};
        for (Index a = 1; a < n_outputs; ++a) {
            const Lanes output = load(outputs + a * kGroup);
            largest = output > largest ? output : largest;
        }
        for (Index a = 0; a < n_outputs; ++a) {
            const Lanes margin = load(outputs + a * kGroup) - largest, share = exp_negative_lanes(margin);
            store(outputs + a * kGroup, margin);
            store(shares + a * kGroup, share);
            sum += share;
        }
        Lanes rest = load(uniforms + lane) * sum, action{}, chosen_margin{};
        LaneInts is_open = LaneInts{} - 1;
        for (Index a = 0; a < n_outputs; ++a) {
            const Lanes share = load(shares + a * kGroup);
            const LaneInts takes = is_open & (share > 0.0);
            action = takes ? all_lanes(static_cast<double>(a)) : action;
            chosen_margin = takes ? load(outputs + a * kGroup) : chosen_margin;
            is_open &= ~(rest < share);
            rest -= share;
        }
        store(actions + lane, action);
        store(log_probs + lane, chosen_margin);
        store(sums + lane, sum);
    }
}

void Actor::add_normals(Index n, const double* normals, double* actions, double* log_probs) {
    for (Index lane = 0; lane < n; lane += kWidth) {
        Lanes sum{};
        for (Index k = 0; k < policy_.action_size; ++k) {
            const Lanes mean = load(outputs_.data() + k * kGroup + lane);
            const Lanes action = mean + sigma_[k] * load(normals + k * kGroup + lane);
            store(actions + k * kGroup + lane, action);
            sum -= gaussian_surprise(action, mean, log_std_[k], precision_[k]);
        }
        store(log_probs + lane, sum);
    }
}

void Actor::mode(Index n, const double* observations, double* actions) {
    evaluate(n, observations);
    if (policy_.is_gaussian()) {
        std::copy(outputs_.begin(), outputs_.end(), actions);
        return;
    }
    for (Index lane = 0; lane < n; lane += kWidth) {
        Lanes largest = load(outputs_.data() + lane), action{};
        for (Index a = 1; a < policy_.n_actions; ++a) {
            const Lanes output = load(outputs_.data() + a * kGroup + lane);
            const LaneInts is_larger = output > largest;
            largest = is_larger ? output : largest;
            action = is_larger ? all_lanes(static_cast<double>(a)) : action;
        }
        store(actions + lane, action);
    }
}

void act(const LinearPolicy& policy, Reals theta, Reals observations, std::uint64_t seed, std::uint32_t iteration,
         std::span<const std::uint32_t> steps, MutableReals actions, MutableReals log_probs) {
    const Index size = policy.features.observation_size, k = policy.action_size, n_rows = std::ssize(steps);
    Actor actor(policy, theta);
    Column<double> observation(group_size(size)), action(group_size(k)), numbers(group_size(actor.n_numbers()));
    std::array<double, kGroup> log_prob, sums;
    std::array<std::int64_t, kGroup> step{};
    for (Index first = 0; first < n_rows; first += kGroup) {
        const Index n = std::min(kGroup, n_rows - first);
        gather(observations.data() + first * size, n, size, observation.data());
        std::copy_n(steps.begin() + first, n, step.begin());
        const GroupStream random{seed, iteration, static_cast<std::uint32_t>(first), step.data(), Purpose::step};
        actor.take_numbers(n, random, 1, numbers.data());
        actor.draw(n, observation.data(), numbers.data(), action.data(), log_prob.data(), sums.data());
        actor.complete(n, 1, sums.data(), log_prob.data());
        scatter(action.data(), n, k, actions.data() + first * k);
        std::copy_n(log_prob.begin(), n, log_probs.begin() + first);
    }
}

void act_by_mode(const LinearPolicy& policy, Reals theta, Reals observations, MutableReals actions) {
    const Index size = policy.features.observation_size, k = policy.action_size;
    const Index n_rows = std::ssize(observations) / size;
    Actor actor(policy, theta);
    Column<double> observation(group_size(size)), action(group_size(k));
    for (Index first = 0; first < n_rows; first += kGroup) {
        const Index n = std::min(kGroup, n_rows - first);
        gather(observations.data() + first * size, n, size, observation.data());
        actor.mode(n, observation.data(), action.data());
        scatter(action.data(), n, k, actions.data() + first * k);
    }
}

}  // namespace npgfast
