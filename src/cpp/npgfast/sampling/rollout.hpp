#pragma once

#include <vector>

#include "npgfast/base/buffer.hpp"
#include "npgfast/base/interrupt.hpp"
#include "npgfast/sampling/record.hpp"
#include "npgfast/sampling/tabular_simulator.hpp"
#include "npgfast/sampling/walk.hpp"

namespace npgfast {

/// Where an environment stands between two rollouts: state -1 before an episode.
struct EnvironmentState {
    std::int32_t state = -1;
    std::int32_t time = 0;
};

/// Records of up to 32 environments side by side, (n_rows, stride); or of many episodes, each in one of the
/// columns, with padding between them.
struct Block {
    const std::uint32_t* records = nullptr;
    Index n_rows = 0;
    Index stride = 1;  ///< columns; those from n_lanes on are no environments
    Index n_lanes = 0;
    Index first_env = 0, n_envs = 0;
    std::vector<Cut> cuts;                                 ///< by lane, then row
    std::array<Index, kBlockLanes + 1> cut_offsets{};      ///< of the lanes in `cuts`
    std::array<std::int32_t, kBlockLanes> last_states{};   ///< of the lanes, as in Track; -1 for episodes
    std::array<std::int32_t, kBlockLanes> first_times{};   ///< of the first records
    Buffer<std::uint32_t> episodes;                        ///< the records of whole episodes
};

/// Steps in compact form, 4 bytes each. A rollout that is played into again keeps its memory.
struct Rollout {
    RecordFormat format;
    std::vector<Block> blocks;
    Column<Track> tracks;  ///< (n_envs,), environment (or episode) after environment
    Buffer<std::uint32_t> records;
    Index n_steps = 0;

    Index n_envs() const { return std::ssize(tracks); }
};

/// Plays a tabular MDP under a policy in many environments.
///
/// Step t of environment e draws from words keyed by (seed; iteration, e, t), and nothing else: not on threads,
/// nor on the other environments. An environment whose episode ends starts the next one in the same call
/// (n_steps > 0) or stops (n_steps = 0).
/// Inputs: the simulator, the table it prepared for the policy, options; `environments` (n_envs,) or empty for fresh
/// starts, read and, with n_steps, advanced. Outputs: `result`, which may be an old one.
/// Preconditions: with n_steps = 0 every episode ends with probability 1.
/// Tiling: blocks of 32 environments, each a task, written row by row; whole episodes take the place of those that
/// ended, in the same column, every fourth row. Cost: see Walker; 4 bytes of memory per step.
/// Errors: std::invalid_argument if a whole episode exceeds 2^26 steps, or 32 together 2^28.
/// Source: Salmon et al. 2011 (counter-based streams); Walker 1977 (alias draws).
void rollout(const TabularSimulator& simulator, const AliasTable& policy, const RolloutOptions& options,
             std::span<EnvironmentState> environments, Rollout& result, const Interrupt& interrupt);

}  // namespace npgfast
