#pragma once

#include "npgfast/base/buffer.hpp"
#include "npgfast/base/interrupt.hpp"
#include "npgfast/sampling/rollout.hpp"

namespace npgfast {

/// A rollout from fresh starts as three arrays, which can be kept, copied and sent.
struct CompactRollout {
    RecordFormat format;
    std::span<const std::uint32_t> records;
    std::span<const std::int64_t> tracks;  ///< (n_envs, 4): place of the first record, stride, length, last state
    std::span<const std::int64_t> cuts;    ///< (n_cuts, 3): environment, step, and the state that it really reached

    static constexpr Index kTrackWidth = 4, kCutWidth = 3;
    Index n_envs() const { return std::ssize(tracks) / kTrackWidth; }
    Index first(Index e) const { return tracks[static_cast<std::size_t>(e * kTrackWidth)]; }
    Index stride(Index e) const { return tracks[static_cast<std::size_t>(e * kTrackWidth + 1)]; }
    Index length(Index e) const { return tracks[static_cast<std::size_t>(e * kTrackWidth + 2)]; }
    Index last_state(Index e) const { return tracks[static_cast<std::size_t>(e * kTrackWidth + 3)]; }
};

/// The arrays behind a CompactRollout.
struct CompactArrays {
    Buffer<std::uint32_t> records;
    Buffer<std::int64_t> tracks;
    std::vector<std::int64_t> cuts;
};

/// Takes a rollout apart. The records of n_steps are moved, those of whole episodes are joined.
CompactArrays compact(Rollout&& rollout);

/// Where the steps of environments stand in an array (n_rows, n_columns): those of environment e in column
/// e % n_columns, below those of the environments before it in that column.
struct Layout {
    Index n_rows = 0, n_columns = 0;
    std::vector<Index> first_rows;  ///< (n_envs,)
    bool is_full = false;           ///< every element of the array belongs to a step
};
Layout lay_out(const CompactRollout& rollout, Index n_columns);

enum class IntegerField { states, actions, next_states, time };
enum class FlagField { terminated, truncated, valid };

/// Writes one attribute of every step into its place of `out` (n_rows, n_columns), which elsewhere keeps what it holds.
///
/// A next state is -1 after termination. A pair field is a table (S * A,), read at the pair of each step.
/// Tiling: 32 environments at a time, whose records lie side by side, on n_threads. Bound by memory: 4 bytes are read
/// and 1 or 8 written per step.
/// Errors: std::out_of_range if a record holds a pair outside the table.
void decode(const CompactRollout& rollout, const Layout& layout, IntegerField field, int n_threads,
            std::span<std::int64_t> out, const Interrupt& interrupt);
void decode(const CompactRollout& rollout, const Layout& layout, FlagField field, int n_threads,
            std::span<std::uint8_t> out, const Interrupt& interrupt);
void decode(const CompactRollout& rollout, const Layout& layout, Reals table, Index n_actions, int n_threads,
            MutableReals out, const Interrupt& interrupt);

}  // namespace npgfast
