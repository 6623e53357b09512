#include "npgfast/training/train_simulated.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "npgfast/base/parallel.hpp"

namespace npgfast {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

MutableReals seed_row(MutableReals array, const SimulatedState& state, Index k) {
    const std::size_t width = array.size() / static_cast<std::size_t>(state.n_seeds);
    return array.subspan(static_cast<std::size_t>(k) * width, width);
}

/// The mean return over all evaluation episodes, or NaN if the policy fell behind `best` before their end. Episodes are
/// played a group at a time, which takes as long as one of them; the rule looks at them as if they came in its rounds.
double race(const Environment& environment, const LinearPolicy& policy, Reals theta, const TrainOptions& options,
            std::uint64_t seed, double best, const Interrupt& interrupt) {
    const Index n_episodes = options.n_evaluation_episodes;
    double sum = 0.0;
    Index played = 0, round_end = 1;
    while (played < n_episodes) {
        const std::vector<double> returns =
            episode_returns(environment, policy, theta, options.evaluate_deterministically, played,
                            std::min(kGroup, n_episodes - played), seed, 0, interrupt);
        for (double value : returns) {
            sum += value;
            if (++played < std::min(round_end, n_episodes)) continue;
            if (sum / static_cast<double>(played) < best) return kUnknown;
            round_end *= 2;
        }
    }
    return sum / static_cast<double>(played);
}

void train_seed(const Environment& environment, const LinearPolicy& policy, const TrainOptions& options,
                const Schedules& schedules, const Origin& origin, Index first_iteration, Index n_iterations,
                const SimulatedState& state, Index k, int n_threads, MutableReals history, const Interrupt& interrupt) {
    const auto start = std::chrono::steady_clock::now();
    Learner learner = learner_of(state, k);
    const MutableReals best_theta = seed_row(state.best_theta, state, k);
    const MutableReals best_moments = seed_row(state.best_moments, state, k);
    const bool is_evaluated = !best_theta.empty() || options.target < std::numeric_limits<double>::infinity();
    const auto begin_episodes = [&](MutableReals standing) {
        for (std::size_t at = 0; at < standing.size(); at += static_cast<std::size_t>(environment.standing_size()))
            standing[at] = -1.0;
    };
    Team team(n_threads);
    std::vector<double> scratch;
    const auto acting = [&] {
        return normalized_policy(policy, learner.observations, options.observation_limit, scratch);
    };
    for (Index i = 0; i < n_iterations && !state.finished[k]; ++i) {
        interrupt.check();
        const MutableReals standing = seed_row(state.environments, state, k);
        if (options.restart_after > 0 && state.n_done[k] - state.started_at[k] >= options.restart_after) {
            start_again(learner, origin);
            begin_episodes(standing);
            state.started_at[k] = state.n_done[k];
        }
        const Turn turn{state.seeds[k], state.n_done[k], first_iteration};
        const SimulationOptions playing{options.n_envs, options.n_steps, turn.seed,
                                        static_cast<std::uint32_t>(turn.iteration), n_threads};
        const LinearPolicy current = acting();
        const Recording recording = simulate(environment, current, learner.theta, playing, standing, interrupt);
        const Lesson lesson = improve(current, options, schedules, turn, recording, learner, team, interrupt);
        if (lesson.report.status == Status::non_finite) begin_episodes(standing);  // a simulation may have diverged
        ++state.n_done[k];
        double evaluation = kUnknown;
        if (is_evaluated) {
            evaluation = race(environment, acting(), learner.theta, options, turn.seed, state.best_objective[k],
                              interrupt);
            if (evaluation > state.best_objective[k]) {
                state.best_objective[k] = evaluation;
                if (!best_theta.empty()) {
                    std::copy(learner.theta.begin(), learner.theta.end(), best_theta.begin());
                    std::copy(learner.observations.values.begin(), learner.observations.values.end(),
                              best_moments.begin());
                }
            }
        }
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        record_lesson(history.subspan(static_cast<std::size_t>(i * kHistoryColumns), kHistoryColumns), lesson,
                      evaluation, learner.timesteps, seconds);
        if (evaluation >= options.target) state.started_at[k] = state.n_done[k];  // what succeeded does not start again
        state.finished[k] = evaluation >= options.target || learner.timesteps >= state.timestep_limit[k];
    }
}

}  // namespace

Learner learner_of(const SimulatedState& state, Index k) {
    return {seed_row(state.theta, state, k),
            seed_row(state.adam_first, state, k),
            seed_row(state.adam_second, state, k),
            state.adam_steps[k],
            seed_row(state.baseline, state, k),
            {seed_row(state.observation_moments, state, k)},
            {seed_row(state.return_moments, state, k)},
            seed_row(state.returns, state, k),
            state.timesteps[k],
            state.mass[k],
            state.n_started[k]};
}

void record_lesson(MutableReals row, const Lesson& lesson, double evaluation, double timesteps, double seconds) {
    std::fill(row.begin(), row.end(), kUnknown);
    record_update(row, lesson.report);
    row[kReturnMean] = lesson.return_mean;
    row[kEvaluation] = evaluation;
    row[kEntropy] = lesson.entropy;
    row[kTimesteps] = timesteps;
    row[kEffectiveHorizon] = lesson.effective_horizon;
    row[kExplainedVariance] = lesson.explained_variance;
    row[kSeconds] = seconds;
}

void train_simulated(const Environment& environment, const LinearPolicy& policy, const TrainOptions& options,
                     const Schedules& schedules, const Origin& origin, Index first_iteration, Index n_iterations,
                     const SimulatedState& state, MutableReals history, const Interrupt& interrupt) {
    std::fill(history.begin(), history.end(), kUnknown);
    const Index row_size = n_iterations * kHistoryColumns;
    const int n_inner = std::max(1, options.n_threads / static_cast<int>(std::max<Index>(state.n_seeds, 1)));
    parallel_for(state.n_seeds, options.n_threads, [&](Index k) {
        train_seed(environment, policy, options, schedules, origin, first_iteration, n_iterations, state, k, n_inner,
                   history.subspan(static_cast<std::size_t>(k * row_size), static_cast<std::size_t>(row_size)),
                   interrupt);
    });
}

}  // namespace npgfast
