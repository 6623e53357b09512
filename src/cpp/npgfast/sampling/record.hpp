#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "npgfast/problems/tabular_mdp.hpp"
#include "npgfast/sampling/alias_table.hpp"
#include "npgfast/sampling/recording.hpp"

namespace npgfast {

/// The last of a record's flags that is no outcome: the row belongs to no episode.
inline constexpr std::uint32_t kPadding = 7;

/// A step of a tabular problem in 32 bits: state, action, flags (StepFlag), from the high bits to the low ones.
///
/// What the step led to stands in the next record of its environment; its time is counted from the flags.
struct RecordFormat {
    int action_bits = 0;

    static constexpr int kFlagBits = 3;
    static constexpr std::uint32_t kFlags = (1u << kFlagBits) - 1;

    /// Errors: std::invalid_argument if a state and an action do not fit into 29 bits.
    static RecordFormat of(Index n_states, Index n_actions) {
        if (alias_bits(n_states) + alias_bits(n_actions) + kFlagBits > 32)
            throw std::invalid_argument("env: too large to sample: a state and an action need more than 29 bits");
        return {alias_bits(n_actions)};
    }

    int state_shift() const { return action_bits + kFlagBits; }
    std::uint32_t low_mask() const { return (1u << state_shift()) - 1; }
    std::uint32_t pack(Index state, Index action, std::uint32_t flags) const {
        return (static_cast<std::uint32_t>(state) << state_shift()) |
               (static_cast<std::uint32_t>(action) << kFlagBits) | flags;
    }
    std::int32_t state(std::uint32_t record) const { return static_cast<std::int32_t>(record >> state_shift()); }
    std::int32_t action(std::uint32_t record) const {
        return static_cast<std::int32_t>((record & low_mask()) >> kFlagBits);
    }
    static std::uint8_t flags(std::uint32_t record) { return static_cast<std::uint8_t>(record & kFlags); }
};

/// Where a truncated step really led.
struct Cut {
    Index row;
    std::int32_t lane;
    std::int32_t state;
};

/// The records of one environment, or of one whole episode: record t is records[t * stride].
struct Track {
    const std::uint32_t* records = nullptr;
    Index stride = 1;
    Index length = 0;
    std::int32_t first_time = 0;   ///< of the first record within its episode
    std::int32_t last_state = -1;  ///< that the last step led to; -1 if it terminated or was ended by a restart
    std::span<const Cut> cuts;     ///< truncated steps, by row: `row` counts from the first record
    std::uint32_t operator[](Index t) const { return records[t * stride]; }
};

}  // namespace npgfast
