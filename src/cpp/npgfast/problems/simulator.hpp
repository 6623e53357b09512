#pragma once

#include <memory>

#include "npgfast/base/group.hpp"
#include "npgfast/base/types.hpp"

namespace npgfast {

/// The dynamics of an environment with continuous observations, of a group of episodes at once (base/group.hpp). It
/// holds parameters only: the states are arrays of the caller's, so that any number of episodes share one simulator and
/// a run can be stored and resumed.
///
/// A discrete action a is passed as the number a; continuous ones arrive clipped to [low, high]. Time
/// limits and horizons are the rollout's business. The first n lanes of each array are read and written,
/// and up to the next register's end.
///
/// A step and an observation take a register of lanes at a time (base/lanes.hpp), and registers do not wait for each
/// other. Bound by arithmetic, most of all by sines, cosines and divisions.
class Simulator {
public:
    virtual ~Simulator() = default;
    virtual Index state_size() const = 0;
    virtual Index observation_size() const = 0;
    virtual Index n_actions() const = 0;           ///< of a discrete environment; 0: actions are continuous
    virtual Index action_size() const = 0;         ///< numbers in an action; 1 if discrete
    virtual Index noise_size() const { return 0; }  ///< normals that a step takes

    /// Draws the start of one episode into state (state_size,).
    virtual void start(double* state, Stream& random) const = 0;

    /// Moves n states (state_size, kGroup) by actions (action_size, kGroup) and normals (noise_size, kGroup).
    /// Output: rewards (kGroup,). Returns the lanes that terminated, a bit for each.
    virtual unsigned step(Index n, double* states, const double* actions, const double* noise,
                          double* rewards) const = 0;

    /// Writes the observations (observation_size, kGroup) of n states.
    virtual void observe(Index n, const double* states, double* observations) const = 0;
};

/// The simulators, in the order of `npgfast.envs`.
enum class SimulatorKind : int { cart_pole = 0, mountain_car, mountain_car_continuous, acrobot, pendulum, lqr };

/// Makes a simulator from its kind and its flat parameters (see the header of each).
/// Errors: std::invalid_argument if there are not as many as the kind has, or the kind is unknown.
std::unique_ptr<Simulator> make_simulator(SimulatorKind kind, Reals parameters);

/// Moves n episodes by a step: states (n, state_size) in place by actions (n, action_size), row i with the noise of
/// (seed; 0, i, step, dynamics). Outputs: rewards (n,); terminated (n,), 1 or 0.
void step_rows(const Simulator& simulator, std::uint64_t seed, std::uint32_t step, MutableReals states, Reals actions,
               MutableReals rewards, std::span<std::uint8_t> terminated);

/// Observations (n, observation_size) of states (n, state_size).
void observe_rows(const Simulator& simulator, Reals states, MutableReals observations);

}  // namespace npgfast
