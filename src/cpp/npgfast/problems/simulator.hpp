#pragma once

#include <memory>

#include "npgfast/base/philox.hpp"
#include "npgfast/base/types.hpp"

namespace npgfast {

struct Transition {
    double reward = 0.0;
    bool terminated = false;
};

/// The dynamics of an environment with continuous observations. It holds parameters only: the state of an episode is a
/// flat array of the caller's, so that any number of episodes share one simulator and a run can be stored and resumed.
///
/// A discrete action a is passed as the number a in action[0]; continuous ones arrive clipped to [low, high].
/// Time limits and horizons are the rollout's business.
class Simulator {
public:
    virtual ~Simulator() = default;
    virtual Index state_size() const = 0;
    virtual Index observation_size() const = 0;
    virtual Index n_actions() const = 0;    ///< of a discrete environment; 0: actions are continuous
    virtual Index action_size() const = 0;  ///< numbers in an action; 1 if discrete

    /// Draws the start of an episode into state (state_size,).
    virtual void start(double* state, Stream& random) const = 0;

    /// Moves the state by one action (action_size,).
    virtual Transition step(double* state, const double* action, Stream& random) const = 0;

    /// Writes the observation (observation_size,) of a state.
    virtual void observe(const double* state, double* observation) const = 0;
};

/// The simulators, in the order of `npgfast.envs`.
enum class SimulatorKind : int { cart_pole = 0, mountain_car, mountain_car_continuous, acrobot, pendulum, lqr };

/// Makes a simulator from its kind and its flat parameters (see the header of each).
/// Errors: std::invalid_argument if there are not as many as the kind has, or the kind is unknown.
std::unique_ptr<Simulator> make_simulator(SimulatorKind kind, Reals parameters);

}  // namespace npgfast
