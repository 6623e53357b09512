#include "npgfast/training/train.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include "npgfast/base/parallel.hpp"
#include "npgfast/sampling/pair_sums.hpp"
#include "npgfast/updates/soft_policy_iteration.hpp"

namespace npgfast {

namespace {

/// The policy at one theta with its exact value.
struct Standing {
    PolicyTable table;
    Evaluation evaluation;
    double objective = 0.0;
    double entropy = 0.0;
};

/// sum_s d(s) H(pi(.|s)), nats; with a horizon d is summed over time. Cost: one pass over the pairs.
double mean_entropy(const TabularMdp& mdp, const PolicyTable& table, Reals occupancy, Team& team) {
    return BlockSums(mdp.n_states).add_up(team, [&](Index first, Index last) {
        double sum = 0.0;
        for (Index s = first; s < last; ++s) {
            double weight = 0.0;
            for (Index i = s; i < ssize(occupancy); i += mdp.n_states) weight += occupancy[i];
            for (Index pair = s * mdp.n_actions; pair < (s + 1) * mdp.n_actions; ++pair)
                if (table.probs[pair] > 0.0) sum -= weight * (table.probs[pair] * table.log_probs[pair]);
        }
        return sum;
    });
}

/// The problem, the settings and the tables that all seeds share.
struct Run {
    const TabularMdp& mdp;
    const SoftmaxPolicy& policy;
    Flags reachable;
    const TrainOptions& options;
    const Schedules& schedules;
    const std::optional<TabularSimulator>& simulator;
    const Interrupt& interrupt;

    Standing stand(Reals theta, Team& team, const Guess& guess) const {
        Standing standing;
        standing.table = policy_table(policy, theta, team);
        const PolicyTable& table = standing.table;
        standing.evaluation =
            evaluate(mdp, table.probs, table.log_probs, options.tau, LinearMethod::automatic, team, interrupt,
                     guess);
        standing.objective =
            unregularized_objective(standing.evaluation, table.probs, table.log_probs, mdp.n_actions, options.tau);
        standing.entropy = mean_entropy(mdp, table, standing.evaluation.occupancy, team);
        return standing;
    }
};

/// The arrays that a Batch views.
struct BatchArrays {
    std::vector<std::int32_t> states, actions;
    std::vector<double> weights, advantages, log_probs;
    double effective_horizon = 1.0;

    Batch view() const { return {states, actions, weights, advantages, log_probs, effective_horizon, false}; }
};

/// The entries of the exhaustive batch that have weight.
BatchArrays list_entries(const Run& run, const Standing& standing) {
    BatchArrays batch;
    batch.effective_horizon = standing.evaluation.effective_horizon;
    const Index n_actions = run.mdp.n_actions, n_pairs = run.mdp.n_pairs();
    for (Index i = 0; i < std::ssize(standing.evaluation.advantages); ++i) {
        const Index pair = i % n_pairs;
        const double weight = standing.evaluation.occupancy[i / n_actions] * standing.table.probs[pair];
        if (!(weight > 0.0)) continue;
        batch.states.push_back(static_cast<std::int32_t>(pair / n_actions));
        batch.actions.push_back(static_cast<std::int32_t>(pair % n_actions));
        batch.weights.push_back(weight);
        batch.advantages.push_back(standing.evaluation.advantages[i]);
        batch.log_probs.push_back(standing.table.log_probs[pair]);
    }
    return batch;
}

/// Advantages of all pairs for the updates that move every state.
std::vector<double> state_advantages(const Run& run, const Standing& standing, const BatchSummary& summary) {
    const Index n_pairs = run.mdp.n_pairs(), n_actions = run.mdp.n_actions;
    std::vector<double> advantages(static_cast<std::size_t>(n_pairs), 0.0);
    for (Index pair = 0; pair < n_pairs; ++pair) {
        if (run.options.sampled) {
            if (summary.pair_weights.table[pair] > 0.0)
                advantages[pair] = summary.weighted_advantages.table[pair] / summary.pair_weights.table[pair];
        } else if (run.mdp.horizon == 0) {
            advantages[pair] = standing.evaluation.advantages[pair];
        } else if (run.reachable[pair / n_actions]) {
            advantages[pair] = summary.advantages[pair];
        } else {
            for (Index h = 0; h < run.mdp.horizon; ++h)
                advantages[pair] += standing.evaluation.advantages[h * n_pairs + pair];
            advantages[pair] /= static_cast<double>(run.mdp.horizon);
        }
    }
    return advantages;
}

/// One seed's slices of the state.
class SeedRun {
public:
    SeedRun(const Run& run, const TrainState& state, Reals start_values, const Memory& memory, Index k, int n_threads)
        : run_(run), seed_(state.seeds[k]), team_(n_threads), exact_team_(team_size(run.mdp, n_threads)),
          theta_(row(state.theta, state, k)),
          best_theta_(row(state.best_theta, state, k)), adam_first_(row(state.adam_first, state, k)),
          adam_second_(row(state.adam_second, state, k)), baseline_(row(state.baseline, state, k)),
          best_objective_(state.best_objective[k]), adam_steps_(state.adam_steps[k]), timesteps_(state.timesteps[k]),
          mass_(state.mass[k]), n_started_(state.n_started[k]), timestep_limit_(state.timestep_limit[k]),
          finished_(state.finished[k]), n_done_(state.n_done[k]), start_values_(start_values),
          known_theta_(row(memory.theta, state, k)), known_values_(row(memory.values, state, k)),
          known_occupancy_(row(memory.occupancy, state, k)), known_horizon_(row(memory.effective_horizon, state, k)) {
        const Index n_envs = std::ssize(state.environments) / state.n_seeds;
        environments_ = state.environments.subspan(static_cast<std::size_t>(k * n_envs),
                                                   static_cast<std::size_t>(n_envs));
    }

    void go(Index first_iteration, Index n_iterations, MutableReals history, MutableReals initial) {
        const auto start = std::chrono::steady_clock::now();
        Standing standing = run_.stand(theta_, exact_team_, recall());
        keep_best(standing);
        initial[0] = standing.objective;
        initial[1] = standing.evaluation.objective;
        initial[2] = standing.entropy;
        for (Index i = 0; i < n_iterations && !finished_; ++i) {
            run_.interrupt.check();
            double return_mean = standing.objective;
            const std::vector<double> first(adam_first_.begin(), adam_first_.end());
            const std::vector<double> second(adam_second_.begin(), adam_second_.end());
            const double adam_steps = adam_steps_;
            UpdateReport report = update(first_iteration, standing, return_mean);
            if (moves_theta(report.status) && !adopt(report, standing)) {
                std::copy(first.begin(), first.end(), adam_first_.begin());
                std::copy(second.begin(), second.end(), adam_second_.begin());
                adam_steps_ = adam_steps;
            }
            keep_best(standing);
            ++n_done_;
            const double seconds =
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            record(history.subspan(static_cast<std::size_t>(i * kHistoryColumns), kHistoryColumns), report, standing,
                   return_mean, seconds);
            finished_ = standing.objective >= run_.options.target || timesteps_ >= timestep_limit_;
        }
        remember(standing.evaluation);
    }

private:
    static MutableReals row(MutableReals array, const TrainState& state, Index k) {
        const std::size_t width = array.size() / static_cast<std::size_t>(state.n_seeds);
        return array.subspan(static_cast<std::size_t>(k) * width, width);
    }

    Guess recall() const {
        const bool is_known = !known_theta_.empty() && std::equal(theta_.begin(), theta_.end(), known_theta_.begin());
        return is_known ? Guess{known_values_, known_occupancy_, known_horizon_[0]} : Guess{start_values_};
    }

    void remember(const Evaluation& evaluation) {
        if (known_theta_.empty()) return;
        std::copy(theta_.begin(), theta_.end(), known_theta_.begin());
        std::copy(evaluation.values.begin(), evaluation.values.end(), known_values_.begin());
        std::copy(evaluation.occupancy.begin(), evaluation.occupancy.end(), known_occupancy_.begin());
        known_horizon_[0] = evaluation.effective_horizon;
    }

    UpdateReport update(Index first_iteration, const Standing& standing, double& return_mean) {
        const Index iteration = n_done_;
        const TrainOptions& options = run_.options;
        BatchArrays arrays;
        BatchSummary summary;
        if (options.sampled) {
            play(iteration, standing);
            if (options.algorithm == Algorithm::ppo) {
                arrays = list_samples(standing, return_mean);
                summary = summarize(arrays.view(), run_.mdp.n_states, run_.mdp.n_actions);
            } else {
                summary = sum_samples(standing, return_mean);
            }
        } else {
            summary = summarize(standing.evaluation, standing.table.probs, run_.reachable, run_.mdp.n_actions,
                                exact_team_);
            if (options.algorithm == Algorithm::ppo) arrays = list_entries(run_, standing);
        }
        const Batch batch = arrays.view();
        const SoftmaxModel model(run_.policy, standing.table, summary, &batch, team_);
        const UpdateInput input{model, theta_, standing.evaluation.objective, options.tau};
        const Turn turn{seed_, iteration, first_iteration};
        if (options.algorithm == Algorithm::soft_policy_iteration)
            return soft_policy_iteration_step(model, input, state_advantages(run_, standing, summary),
                                              run_.schedules.step_size[turn.scheduled()]);
        if (options.algorithm == Algorithm::conservative_policy_iteration)
            return conservative_policy_iteration_step(model, input, state_advantages(run_, standing, summary),
                                                      options.mixture, run_.mdp.gamma, run_.mdp.horizon);
        return run_update(options, run_.schedules, turn, input, {batch.weights, batch.advantages, batch.log_probs},
                          {adam_first_, adam_second_, adam_steps_}, run_.interrupt);
    }

    void play(Index iteration, const Standing& standing) {
        const TrainOptions& options = run_.options;
        RolloutOptions playing = rollout_for(run_.mdp, options.state_weights, options.n_envs, options.n_steps);
        playing.seed = seed_;
        playing.iteration = static_cast<std::uint32_t>(iteration);
        playing.n_threads = team_.n_threads();
        run_.simulator->prepare(standing.table.probs, draws_, scratch_);
        rollout(*run_.simulator, draws_, playing, environments_, played_, run_.interrupt);
        timesteps_ += static_cast<double>(played_.n_steps);
    }

    SampleOptions weighing(const Standing& standing) const {
        return {run_.options.state_weights, run_.options.gae_lambda, baseline_, run_.options.tau,
                standing.table.log_probs};
    }

    double horizon_of(double mass, Index n_started) {
        return estimate_horizon(mass, n_started, run_.options.n_steps > 0, mass_, n_started_);
    }

    /// The batch of what was played, by pairs, and the baseline of the next one.
    BatchSummary sum_samples(const Standing& standing, double& return_mean) {
        BatchSummary summary;
        summary.allocate(run_.mdp.n_states, run_.mdp.n_actions);
        PairSums sums{summary.state_sums, summary.pair_sums, summary.advantage_sums, baseline_};
        sum_pairs(run_.mdp, played_, weighing(standing), team_.n_threads(), sums, summing_, run_.interrupt);
        return_mean = sums.return_mean;
        summary.effective_horizon = horizon_of(sums.mass, sums.n_started);
        return summary;
    }

    /// The same, step by step.
    BatchArrays list_samples(const Standing& standing, double& return_mean) {
        const TabularMdp& mdp = run_.mdp;
        Sample sample = weigh(mdp, played_, weighing(standing), team_.n_threads(), run_.interrupt);
        if (run_.options.use_baseline) {
            std::vector<std::int32_t> cells(sample.states);
            if (mdp.horizon > 0)
                for (std::size_t i = 0; i < cells.size(); ++i)
                    cells[i] += sample.time[i] * static_cast<std::int32_t>(mdp.n_states);
            fit_table(cells, sample.returns, std::vector<double>(cells.size(), 1.0), baseline_);
        }
        return_mean = sample.return_mean;
        BatchArrays arrays;
        arrays.log_probs.resize(sample.states.size());
        for (std::size_t i = 0; i < sample.states.size(); ++i)
            arrays.log_probs[i] =
                standing.table.log_probs[Index{sample.states[i]} * mdp.n_actions + sample.actions[i]];
        arrays.states = std::move(sample.states);
        arrays.actions = std::move(sample.actions);
        arrays.weights = std::move(sample.weights);
        arrays.advantages = std::move(sample.advantages);
        arrays.effective_horizon = horizon_of(sample.mass, sample.n_started);
        return arrays;
    }

    /// Moves to the updated theta if its policy has a finite value; else takes the update back.
    bool adopt(UpdateReport& report, Standing& standing) {
        try {
            Standing next = run_.stand(report.theta, exact_team_, {start_values_});
            if (std::isfinite(next.objective) && std::isfinite(next.evaluation.effective_horizon)) {
                std::copy(report.theta.begin(), report.theta.end(), theta_.begin());
                standing = std::move(next);
                return true;
            }
        } catch (const EvaluationFailure&) {
            // At gamma = 1 the new policy does not end from every state, or all but.
        }
        report.status = Status::non_finite;
        report.step_size = report.kl = report.surrogate = 0.0;
        return false;
    }

    void keep_best(const Standing& standing) {
        if (best_theta_.empty() || !(standing.objective > best_objective_)) return;
        best_objective_ = standing.objective;
        std::copy(theta_.begin(), theta_.end(), best_theta_.begin());
    }

    void record(MutableReals row, const UpdateReport& report, const Standing& standing, double return_mean,
                double seconds) const {
        row[kObjective] = standing.objective;
        row[kRegularizedObjective] = standing.evaluation.objective;
        row[kReturnMean] = return_mean;
        row[kEntropy] = standing.entropy;
        row[kTimesteps] = timesteps_;
        row[kEffectiveHorizon] = standing.evaluation.effective_horizon;
        record_update(row, report);
        row[kSeconds] = seconds;
    }

    const Run& run_;
    std::uint64_t seed_;
    Team team_, exact_team_;  // of the updates; of exact evaluations, smaller where there is little to do
    MutableReals theta_, best_theta_, adam_first_, adam_second_, baseline_;
    std::span<EnvironmentState> environments_;
    double& best_objective_;
    double& adam_steps_;
    double& timesteps_;
    double& mass_;
    double& n_started_;
    double timestep_limit_;
    std::uint8_t& finished_;
    std::int64_t& n_done_;
    AliasTable draws_;
    AliasScratch scratch_;
    Rollout played_;
    PairSumsWorkspace summing_;
    Reals start_values_;
    MutableReals known_theta_, known_values_, known_occupancy_, known_horizon_;
};

}  // namespace

void train(const TabularMdp& mdp, const SoftmaxPolicy& policy, Flags reachable, const TrainOptions& options,
           const Schedules& schedules, Index first_iteration, Index n_iterations, TrainState state,
           Reals start_values, const Memory& memory, MutableReals history, MutableReals initial,
           const Interrupt& interrupt) {
    std::fill(history.begin(), history.end(), std::numeric_limits<double>::quiet_NaN());
    std::optional<TabularSimulator> simulator;
    if (options.sampled)
        simulator.emplace(mdp, rollout_for(mdp, options.state_weights, 1, 1).restart_probability);
    const Run run{mdp, policy, reachable, options, schedules, simulator, interrupt};
    const Index row_size = n_iterations * kHistoryColumns;
    const int n_inner = std::max(1, options.n_threads / static_cast<int>(std::max<Index>(state.n_seeds, 1)));
    parallel_for(state.n_seeds, options.n_threads, [&](Index k) {
        SeedRun(run, state, start_values, memory, k, n_inner)
            .go(first_iteration, n_iterations,
                history.subspan(static_cast<std::size_t>(k * row_size), static_cast<std::size_t>(row_size)),
                initial.subspan(static_cast<std::size_t>(3 * k), 3));
    });
}

}  // namespace npgfast
