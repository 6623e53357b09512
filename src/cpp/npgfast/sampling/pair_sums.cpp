#include "npgfast/sampling/pair_sums.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "npgfast/base/parallel.hpp"
#include "npgfast/base/simd.hpp"

namespace npgfast {

namespace {

constexpr Index kMostSlots = 8, kStepsPerPair = 16;  // a slot is worth zeroing and adding up if its steps are many
constexpr Index kSummedRows = 32;
constexpr Index kSumsPerPair = 4;  // weight, weight * advantage, 1, advantage
constexpr Index kSummedPerThread = 50'000;

}  // namespace

struct PairSumsWorkspace::Slot {
    Buffer<double> pairs;   ///< (padded pairs, 4)
    Buffer<double> cells;   ///< (cells, 2) visits and returns, with a horizon
    Buffer<std::uint32_t> chunk_times;
    std::array<std::uint32_t, kSummedRows * kBlockLanes> times;
    double finished_reward = 0.0;
    Index n_started = 0, n_finished = 0;
};

PairSumsWorkspace::PairSumsWorkspace() = default;
PairSumsWorkspace::~PairSumsWorkspace() = default;

namespace {

/// What all slots read.
struct SummedRollout {
    const TabularMdp& mdp;
    RecordFormat format;
    double gamma, lambda;
    const double *deltas, *rewards;  ///< by padded pair: what advantages are of, and what the problem gave
    const double* values;            ///< by cell
    const double* powers;
    Index last_power;
    const Interrupt& interrupt;

    /// With a horizon.
    Index cell(Index state, Index time) const { return std::min(time, mdp.horizon) * mdp.n_states + state; }
};

/// The times of the first row of every chunk.
void count_times(const Block& block, PairSumsWorkspace::Slot& slot) {
    slot.chunk_times.resize((block.n_rows + kSummedRows - 1) / kSummedRows * kBlockLanes);
    std::array<std::uint32_t, kBlockLanes> time{};
    for (Index lane = 0; lane < block.n_lanes; ++lane) time[lane] = static_cast<std::uint32_t>(block.first_times[lane]);
    for (Index t = 0; t < block.n_rows; ++t) {
        if (t % kSummedRows == 0)
            std::copy(time.begin(), time.end(), slot.chunk_times.data() + t / kSummedRows * kBlockLanes);
        const std::uint32_t* row = block.records + t * block.stride;
        for (Index lane = 0; lane < block.n_lanes; ++lane)
            time[lane] = (row[lane] & RecordFormat::kFlags) == 0 ? time[lane] + 1 : 0;
    }
}

/// The times of the rows of one chunk.
void fill_times(const Block& block, Index chunk, Index n_rows, PairSumsWorkspace::Slot& slot) {
    std::uint32_t* times = slot.times.data();
    std::copy_n(slot.chunk_times.data() + chunk * kBlockLanes, kBlockLanes, times);
    for (Index t = 0; t + 1 < n_rows; ++t) {
        const std::uint32_t* row = block.records + (chunk * kSummedRows + t) * block.stride;
        const std::uint32_t* now = times + t * kBlockLanes;
        for (Index lane = 0; lane < block.n_lanes; ++lane)
            times[(t + 1) * kBlockLanes + lane] = (row[lane] & RecordFormat::kFlags) == 0 ? now[lane] + 1 : 0;
    }
}

/// Where a lane stands on the way back: at the step after the one that is looked at.
struct LaneOnTheWayBack {
    double value = 0.0, advantage = 0.0;
    double episode_reward = 0.0;    ///< from here to the end of the episode
    bool ends_in_rollout = false;
    Index n_cuts = 0;               ///< that lie ahead
};

template <bool kHasTimes, bool kHasTimedCells>
void sum_block(const SummedRollout& in, const Block& block, PairSumsWorkspace::Slot& slot) {
    const int shift = in.format.state_shift();
    const double gamma = in.gamma, decay = in.gamma * in.lambda;
    const double *deltas = in.deltas, *rewards = in.rewards, *values = in.values, *powers = in.powers;
    double *pairs = slot.pairs.data(), *cells = slot.cells.data();
    const Index last_power = in.last_power, n_lanes = block.n_lanes, last_row = block.n_rows - 1;
    const bool is_episodes = block.episodes.size() > 0;
    const auto cell_of = [&](std::int32_t state, Index time) {
        return kHasTimedCells ? in.cell(state, time) : Index{state};
    };
    std::array<LaneOnTheWayBack, kBlockLanes> lanes;
    for (Index lane = 0; lane < n_lanes; ++lane) lanes[lane].n_cuts = block.cut_offsets[lane + 1];
    const auto finish = [&](const LaneOnTheWayBack& at) {
        if (!at.ends_in_rollout) return;
        slot.finished_reward += at.episode_reward;
        ++slot.n_finished;
    };
    if constexpr (kHasTimes) count_times(block, slot);

    for (Index chunk = (block.n_rows - 1) / kSummedRows; chunk >= 0; --chunk) {
        in.interrupt.check();
        const Index first = chunk * kSummedRows, n_rows = std::min(kSummedRows, block.n_rows - first);
        if constexpr (kHasTimes) fill_times(block, chunk, n_rows, slot);
        const auto time_at = [&](Index t, Index lane) {
            return kHasTimes ? Index{slot.times[static_cast<std::size_t>((t - first) * kBlockLanes + lane)]} : 0;
        };
        if (first + n_rows > last_row)
            for (Index lane = 0; lane < n_lanes; ++lane)
                if (block.last_states[lane] >= 0)
                    lanes[lane].value = values[cell_of(block.last_states[lane], time_at(last_row, lane) + 1)];
        for (Index t = first + n_rows - 1; t >= first; --t) {
            const std::uint32_t* row = block.records + t * block.stride;
            for (Index lane = 0; lane < n_lanes; ++lane) {
                const std::uint32_t record = row[lane], flags = record & RecordFormat::kFlags;
                LaneOnTheWayBack& at = lanes[lane];
                const Index time = time_at(t, lane);
                if (flags != 0) {
                    finish(at);
                    if (!is_episodes && t < last_row) ++slot.n_started;
                    at.value = at.advantage = at.episode_reward = 0.0;
                    at.ends_in_rollout = flags != kPadding;
                    if (flags == kPadding) continue;
                    if (flags == kTruncated)
                        at.value = values[cell_of(block.cuts[static_cast<std::size_t>(--at.n_cuts)].state, time + 1)];
                }
                const auto pair = static_cast<Index>(record >> RecordFormat::kFlagBits);
                const Index cell = cell_of(static_cast<std::int32_t>(record >> shift), time);
                const double value = values[cell], weight = kHasTimes ? powers[std::min(time, last_power)] : 1.0;
                at.advantage = (deltas[pair] + gamma * at.value - value) + decay * at.advantage;
                at.value = value;
                at.episode_reward += rewards[pair];
                const Packet<2> terms{1.0, at.advantage};
                double* sum = pairs + kSumsPerPair * pair;
                store<2>(sum, load<2>(sum) + weight * terms);
                store<2>(sum + 2, load<2>(sum + 2) + terms);
                if constexpr (kHasTimedCells) {
                    cells[2 * cell] += 1.0;
                    cells[2 * cell + 1] += at.advantage + value;
                }
            }
        }
    }
    if (is_episodes) slot.n_started += block.n_envs;
    for (Index lane = 0; lane < n_lanes; ++lane) {
        if (block.first_times[lane] != 0) continue;
        finish(lanes[lane]);
        if (!is_episodes) ++slot.n_started;
    }
}

}  // namespace

void sum_pairs(const TabularMdp& mdp, const Rollout& rollout, const SampleOptions& options, int n_threads,
               PairSums& result, PairSumsWorkspace& workspace, const Interrupt& interrupt) {
    const Index n_states = mdp.n_states, n_actions = mdp.n_actions;
    const RecordFormat format = rollout.format;
    const Index width = Index{1} << format.action_bits, n_padded = n_states * width;
    const bool is_discounted = options.state_weights == StateWeights::discounted && mdp.gamma < 1.0;
    const double gamma = options.state_weights == StateWeights::geometric ? 1.0 : mdp.gamma;
    // Without a baseline to read or to fit, no cell matters.
    const bool has_timed_cells = mdp.horizon > 0 && !(options.baseline.empty() && result.fitted.empty());
    const Index n_cells = (has_timed_cells ? mdp.horizon : 1) * n_states;

    workspace.deltas.resize(n_padded);
    workspace.rewards.resize(n_padded);
    workspace.values.resize(n_cells + n_states);
    for (Index s = 0; s < n_states; ++s) {
        for (Index a = 0; a < n_actions; ++a) {
            const Index pair = s * n_actions + a;
            workspace.rewards[s * width + a] = mdp.rewards[pair];
            workspace.deltas[s * width + a] =
                options.tau > 0.0 ? mdp.rewards[pair] - options.tau * options.log_probs[pair] : mdp.rewards[pair];
        }
    }
    std::fill_n(workspace.values.data(), n_cells + n_states, 0.0);
    std::copy(options.baseline.begin(), options.baseline.end(), workspace.values.data());
    Index longest = 0;
    if (is_discounted)
        for (const Track& track : rollout.tracks) longest = std::max(longest, track.first_time + track.length);
    longest = std::min(longest, negligible_time(gamma));
    for (Index t = std::ssize(workspace.powers); t <= longest; ++t)
        workspace.powers.push_back(std::pow(gamma, static_cast<double>(t)));

    const Index n_blocks = std::ssize(rollout.blocks);
    const Index n_slots =
        std::clamp<Index>(rollout.n_steps / (kStepsPerPair * n_padded), 1, std::min(kMostSlots, n_blocks));
    if (std::ssize(workspace.slots) < n_slots) workspace.slots.resize(static_cast<std::size_t>(n_slots));
    const SummedRollout in{mdp, format, gamma, options.gae_lambda, workspace.deltas.data(), workspace.rewards.data(),
                    workspace.values.data(), workspace.powers.data(), std::ssize(workspace.powers) - 1, interrupt};
    parallel_for(n_slots, rollout.n_steps < 2 * kSummedPerThread ? 1 : n_threads, [&](Index k) {
        PairSumsWorkspace::Slot& slot = workspace.slots[static_cast<std::size_t>(k)];
        slot.pairs.resize(n_padded * kSumsPerPair);
        std::fill_n(slot.pairs.data(), n_padded * kSumsPerPair, 0.0);
        if (has_timed_cells) {
            slot.cells.resize(2 * (n_cells + n_states));
            std::fill_n(slot.cells.data(), 2 * (n_cells + n_states), 0.0);
        }
        slot.finished_reward = 0.0;
        slot.n_started = slot.n_finished = 0;
        for (Index b = k * n_blocks / n_slots; b < (k + 1) * n_blocks / n_slots; ++b) {
            const Block& block = rollout.blocks[static_cast<std::size_t>(b)];
            if (has_timed_cells)
                sum_block<true, true>(in, block, slot);
            else if (is_discounted)
                sum_block<true, false>(in, block, slot);
            else
                sum_block<false, false>(in, block, slot);
        }
    });

    PairSumsWorkspace::Slot& total = workspace.slots[0];
    for (Index k = 1; k < n_slots; ++k) {
        const PairSumsWorkspace::Slot& slot = workspace.slots[static_cast<std::size_t>(k)];
        for (Index i = 0; i < n_padded * kSumsPerPair; ++i) total.pairs[i] += slot.pairs[i];
        if (has_timed_cells)
            for (Index i = 0; i < 2 * n_cells; ++i) total.cells[i] += slot.cells[i];
        total.finished_reward += slot.finished_reward;
        total.n_started += slot.n_started;
        total.n_finished += slot.n_finished;
    }
    const MutableReals fitted = result.fitted;
    std::fill(result.state_weights.begin(), result.state_weights.end(), 0.0);
    result.mass = 0.0;
    for (Index s = 0; s < n_states; ++s) {
        double n_visits = 0.0, returns = 0.0;
        for (Index a = 0; a < n_actions; ++a) {
            const double* sum = total.pairs.data() + (s * width + a) * kSumsPerPair;
            result.pair_weights[s * n_actions + a] = sum[0];
            result.weighted_advantages[s * n_actions + a] = sum[1];
            result.state_weights[s] += sum[0];
            n_visits += sum[2];
            returns += sum[3];
        }
        result.mass += result.state_weights[s];
        if (!fitted.empty() && !has_timed_cells && n_visits > 0.0)
            fitted[s] = workspace.values[s] + returns / n_visits;
    }
    for (Index c = 0; c < n_cells && !fitted.empty() && has_timed_cells; ++c)
        if (total.cells[2 * c] > 0.0) fitted[c] = total.cells[2 * c + 1] / total.cells[2 * c];
    for (const MutableReals sums : {result.state_weights, result.pair_weights, result.weighted_advantages})
        for (double& sum : sums) sum /= result.mass;
    result.n_started = total.n_started;
    result.return_mean =
        total.n_finished > 0 ? total.finished_reward / static_cast<double>(total.n_finished) : std::nan("");
}

}  // namespace npgfast
