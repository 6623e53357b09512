#pragma once

#include <vector>

#include "npgfast/base/column.hpp"

namespace npgfast {

/// What became of an episode at a step.
enum StepFlag : std::uint8_t {
    kTerminated = 1,  ///< the problem ended the episode
    kTruncated = 2,   ///< a limit outside the problem cut it
    kRestarted = 4,   ///< a geometric restart ended it
};

/// The steps of environments with observations, one environment after another; environment e owns the entries
/// [offsets[e], offsets[e+1]).
///
/// The observation that a step really reached is kept, apart from the restart that may follow, where the value of what
/// comes after it is needed: for the entries `cut`, ascending, which are those truncated and the last of each
/// environment, unless terminated.
struct Recording {
    Index observation_size = 0;
    Index action_size = 0;  ///< k numbers in a continuous action; 0: actions are discrete
    std::vector<Index> offsets{0};
    Column<double> observations;       ///< (n, D)
    Column<double> actions;            ///< (n, k) continuous ones, as drawn
    Column<std::int32_t> choices;      ///< (n,) discrete ones; without entries if actions are continuous
    Column<double> rewards;            ///< (n,)
    Column<double> log_probs;          ///< (n,) nats
    Column<std::int32_t> time;         ///< (n,) step within its episode
    Column<std::uint8_t> flags;        ///< (n,)
    std::vector<Index> cut;            ///< (c,)
    Column<double> cut_observations;   ///< (c, D)

    Index n_envs() const { return std::ssize(offsets) - 1; }
    Index n_steps() const { return std::ssize(rewards); }

    /// Room for n steps in the columns of steps; what is new is undefined.
    void resize(Index n) {
        const auto size = static_cast<std::size_t>(n);
        observations.resize(size * static_cast<std::size_t>(observation_size));
        actions.resize(size * static_cast<std::size_t>(action_size));
        choices.resize(action_size > 0 ? 0 : size);
        rewards.resize(size);
        log_probs.resize(size);
        time.resize(size);
        flags.resize(size);
    }
};

}  // namespace npgfast
