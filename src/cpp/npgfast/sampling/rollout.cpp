#include "npgfast/sampling/rollout.hpp"

#include <algorithm>
#include <stdexcept>

#include "npgfast/base/parallel.hpp"

namespace npgfast {

namespace {

constexpr Index kLongestEpisode = Index{1} << 26, kLongestEpisodes = Index{1} << 28;
constexpr Index kUnit = 8;                 // environments of a vector
constexpr Index kEpisodesPerBlock = 512;   // many for each column, so that the last of them leave few empty
constexpr Index kStepsPerThread = 50'000;  // about as long as a thread takes to start
constexpr Index kRowsPerChunk = 32, kRowsPerEpisodeChunk = 4;

/// Columns of n environments: whole vectors, unless they are fewer than one.
Index columns_for(Index n) { return n < kUnit ? n : (n + kUnit - 1) / kUnit * kUnit; }

void sort_cuts(Block& block) {
    std::sort(block.cuts.begin(), block.cuts.end(), [](const Cut& a, const Cut& b) {
        return a.lane != b.lane ? a.lane < b.lane : a.row < b.row;
    });
    auto cut = block.cuts.begin();
    for (Index lane = 0; lane < kBlockLanes; ++lane) {
        block.cut_offsets[lane] = cut - block.cuts.begin();
        while (cut != block.cuts.end() && cut->lane == lane) ++cut;
    }
    block.cut_offsets[kBlockLanes] = std::ssize(block.cuts);
}

/// Steps since the last end in a column, of which there may be none: then those before it count.
std::int32_t standing_time(const Block& block, Index lane) {
    Index t = block.n_rows;
    while (t > 0 && !RecordFormat::flags(block.records[(t - 1) * block.stride + lane])) --t;
    const Index before = t == 0 ? block.first_times[lane] : 0;
    return static_cast<std::int32_t>(std::min<Index>(before + block.n_rows - t, INT32_MAX));
}

void play_steps(const TabularSimulator& simulator, const AliasTable& policy, const RolloutOptions& options,
                std::span<EnvironmentState> environments, Block& block, std::uint32_t* records,
                const Interrupt& interrupt) {
    const RecordFormat format = simulator.format();
    Walker walker(simulator, policy, options);
    LaneStates lanes;
    for (Index lane = 0; lane < block.stride; ++lane) {
        lanes.environment[lane] = static_cast<std::uint32_t>(block.first_env + lane);
        lanes.words[lane] = walker.fresh();
        if (environments.empty() || lane >= block.n_lanes) continue;
        const EnvironmentState& standing = environments[block.first_env + lane];
        if (standing.state < 0) continue;
        lanes.words[lane] = format.pack(standing.state, 0, 0);
        lanes.time[lane] = static_cast<std::uint32_t>(standing.time);
    }
    for (Index lane = 0; lane < block.n_lanes; ++lane)
        block.first_times[lane] = static_cast<std::int32_t>(lanes.time[lane]);
    const Index chunk = block.stride < kUnit ? Walker::kMostSteps : kRowsPerChunk;
    for (Index row = 0; row < block.n_rows; row += chunk) {
        interrupt.check();
        walker.walk(lanes, block.stride, std::min(chunk, block.n_rows - row), row, records + row * block.stride,
                    block.cuts);
    }
    std::erase_if(block.cuts, [&](const Cut& cut) { return cut.lane >= block.n_lanes; });
    sort_cuts(block);
    for (Index lane = 0; lane < block.n_lanes; ++lane) {
        const std::uint32_t word = lanes.words[lane];
        const bool ended = RecordFormat::flags(word) != 0;
        block.last_states[lane] = ended ? -1 : format.state(word);
        if (ended && block.cut_offsets[lane + 1] > block.cut_offsets[lane]) {
            const Cut& last = block.cuts[block.cut_offsets[lane + 1] - 1];
            if (last.row == block.n_rows - 1) block.last_states[lane] = last.state;
        }
        if (!environments.empty())
            environments[block.first_env + lane] =
                ended ? EnvironmentState{} : EnvironmentState{format.state(word), standing_time(block, lane)};
    }
}

[[noreturn]] void refuse_endless_episode() {
    throw std::invalid_argument("policy: an episode did not end within 2**26 steps, or 32 together within 2**28; give "
                                "n_steps, a horizon or gamma < 1");
}

/// Whole episodes, `first_rows` of which stand in `tracks` as rows, to become pointers when the memory has its place.
void play_episodes(const TabularSimulator& simulator, const AliasTable& policy, const RolloutOptions& options,
                   Block& block, std::span<Track> tracks, const Interrupt& interrupt) {
    Walker walker(simulator, policy, options);
    LaneStates lanes;
    std::array<Index, kBlockLanes> episode, first_row{};
    std::vector<std::pair<Index, Index>> places(static_cast<std::size_t>(block.n_envs));  // first row, lane
    Index next = 0, n_running = 0, n_rows = 0;
    const auto start = [&](Index lane) {
        const bool is_left = next < block.n_envs;
        episode[lane] = is_left ? next++ : -1;
        n_running += is_left ? 1 : 0;
        first_row[lane] = n_rows;
        lanes.environment[lane] = static_cast<std::uint32_t>(block.first_env + std::max<Index>(episode[lane], 0));
        lanes.words[lane] = walker.fresh();
        lanes.time[lane] = lanes.step[lane] = 0;
    };
    for (Index lane = 0; lane < block.stride; ++lane) start(lane);
    while (n_running > 0) {
        interrupt.check();
        constexpr Index kRows = kRowsPerEpisodeChunk;
        block.episodes.resize((n_rows + kRows) * block.stride);
        std::uint32_t* rows = block.episodes.data() + n_rows * block.stride;
        const auto n_cuts = block.cuts.size();
        walker.walk(lanes, block.stride, kRows, n_rows, rows, block.cuts);
        n_rows += kRows;
        for (Index lane = 0; lane < block.stride; ++lane) {
            Index n_played = 0;  // in this chunk
            if (episode[lane] >= 0) {
                std::uint8_t flags = 0;
                while (n_played < kRows && !flags)
                    flags = RecordFormat::flags(rows[n_played++ * block.stride + lane]);
                if (!flags) continue;
                const Index end = n_rows - kRows + n_played;
                Track& track = tracks[static_cast<std::size_t>(episode[lane])];
                track.length = end - first_row[lane];
                places[static_cast<std::size_t>(episode[lane])] = {first_row[lane], lane};
                track.last_state = -1;
                for (auto c = n_cuts; c < block.cuts.size(); ++c)
                    if (block.cuts[c].lane == lane && block.cuts[c].row == end - 1)
                        track.last_state = block.cuts[c].state;
                --n_running;
            }
            for (; n_played < kRows; ++n_played) rows[n_played * block.stride + lane] = kPadding;
            start(lane);
        }
        if (n_rows % (Index{1} << 16) == 0) {
            Index n_unfinished = 0;
            for (Index lane = 0; lane < block.stride; ++lane) {
                if (episode[lane] < 0) continue;
                n_unfinished += n_rows - first_row[lane];
                if (n_rows - first_row[lane] > kLongestEpisode) refuse_endless_episode();
            }
            if (n_unfinished > kLongestEpisodes) refuse_endless_episode();
        }
    }
    block.records = block.episodes.data();
    block.n_rows = n_rows;
    std::erase_if(block.cuts, [&](const Cut& cut) {
        return RecordFormat::flags(block.records[cut.row * block.stride + cut.lane]) != kTruncated;
    });
    sort_cuts(block);
    block.last_states.fill(-1);
    for (Index e = 0; e < block.n_envs; ++e) {
        const auto [row, lane] = places[static_cast<std::size_t>(e)];
        tracks[static_cast<std::size_t>(e)].records = block.records + row * block.stride + lane;
    }
}

}  // namespace

void rollout(const TabularSimulator& simulator, const AliasTable& policy, const RolloutOptions& options,
             std::span<EnvironmentState> environments, Rollout& result, const Interrupt& interrupt) {
    const Index n_envs = options.n_envs;
    const bool has_steps = options.n_steps > 0;
    const Index n_units = (n_envs + kUnit - 1) / kUnit, units_per_block = kBlockLanes / kUnit;
    const Index n_blocks = has_steps ? (n_units + units_per_block - 1) / units_per_block
                                     : (n_envs + kEpisodesPerBlock - 1) / kEpisodesPerBlock;
    result.format = simulator.format();
    result.blocks.resize(static_cast<std::size_t>(n_blocks));
    result.tracks.resize(static_cast<std::size_t>(n_envs));
    std::vector<Index> places(static_cast<std::size_t>(n_blocks));
    Index n_records = 0;
    for (Index b = 0; b < n_blocks; ++b) {
        Block& block = result.blocks[static_cast<std::size_t>(b)];
        // Environments are divided evenly, in whole vectors.
        const auto bound = [&](Index i) {
            return has_steps ? std::min(n_envs, i * n_units / n_blocks * kUnit) : i * n_envs / n_blocks;
        };
        block.first_env = bound(b);
        block.n_envs = bound(b + 1) - block.first_env;
        block.n_lanes = std::min(block.n_envs, kBlockLanes);
        block.stride = columns_for(block.n_lanes);
        block.n_rows = options.n_steps;
        block.cuts.clear();
        block.first_times.fill(0);
        places[static_cast<std::size_t>(b)] = n_records;
        n_records += block.n_rows * block.stride;
    }
    if (has_steps) result.records.resize(n_records);
    const bool is_short = has_steps && n_envs * options.n_steps < 2 * kStepsPerThread;
    parallel_for(n_blocks, is_short ? 1 : options.n_threads, [&](Index b) {
        Block& block = result.blocks[static_cast<std::size_t>(b)];
        if (!has_steps) {
            play_episodes(simulator, policy, options, block,
                          std::span(result.tracks).subspan(static_cast<std::size_t>(block.first_env),
                                                           static_cast<std::size_t>(block.n_envs)),
                          interrupt);
            return;
        }
        std::uint32_t* records = result.records.data() + places[static_cast<std::size_t>(b)];
        block.records = records;
        play_steps(simulator, policy, options, environments, block, records, interrupt);
        for (Index lane = 0; lane < block.n_lanes; ++lane) {
            const auto first = static_cast<std::size_t>(block.cut_offsets[lane]),
                       end = static_cast<std::size_t>(block.cut_offsets[lane + 1]);
            result.tracks[static_cast<std::size_t>(block.first_env + lane)] = {
                records + lane, block.stride, options.n_steps, block.first_times[lane], block.last_states[lane],
                std::span(block.cuts).subspan(first, end - first)};
        }
    });
    result.n_steps = 0;
    for (Block& block : result.blocks) {
        for (Index e = block.first_env; e < block.first_env + block.n_envs; ++e) {
            Track& track = result.tracks[static_cast<std::size_t>(e)];
            track.stride = block.stride;
            if (!has_steps) {
                track.cuts = {};
                track.first_time = 0;
            }
            result.n_steps += track.length;
        }
    }
}

}  // namespace npgfast
