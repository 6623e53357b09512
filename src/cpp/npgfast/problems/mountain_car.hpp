#pragma once

#include "npgfast/problems/simulator.hpp"

namespace npgfast {

/// A car too weak for the hill: what MountainCar and MountainCarContinuous share.
///
///     v += push - 0.0025 cos(3 x),  |v| <= 0.07;    x += v,  -1.2 <= x <= 0.6;    v = 0 at the left wall
///
/// State: position x and velocity v per step, without units; start: x uniform on [-0.6, -0.4), v = 0.
/// Observation: the state. Terminated: x >= goal and v >= goal_velocity.
/// Source: Moore 1990, "Efficient memory-based learning for robot control"; Sutton & Barto 2018, example 10.1.
class Mountain : public Simulator {
public:
    explicit Mountain(double goal_velocity) : goal_velocity_(goal_velocity) {}
    Index state_size() const override { return 2; }
    Index observation_size() const override { return 2; }
    Index action_size() const override { return 1; }
    void start(double* state, Stream& random) const override;
    void observe(Index n, const double* states, double* observations) const override;

protected:
    double goal_velocity_;
};

/// push = 0.001 (a - 1) for actions a = 0, 1, 2; goal at 0.5; reward -1 a step.
/// Parameters: goal_velocity.
class MountainCar final : public Mountain {
public:
    using Mountain::Mountain;
    Index n_actions() const override { return 3; }
    unsigned step(Index n, double* states, const double* actions, const double* noise,
                  double* rewards) const override;

private:
    static constexpr double kForce = 0.001;
    static constexpr double kGoal = 0.5;
};

/// push = 0.0015 clip(a, -1, 1); goal at 0.45; reward -0.1 a^2, and 100 at the goal.
/// Parameters: goal_velocity. The next state is rounded to single precision, in which Gymnasium keeps it.
class MountainCarContinuous final : public Mountain {
public:
    using Mountain::Mountain;
    Index n_actions() const override { return 0; }
    unsigned step(Index n, double* states, const double* actions, const double* noise,
                  double* rewards) const override;

private:
    static constexpr double kPower = 0.0015;
    static constexpr double kGoal = 0.45;
};

}  // namespace npgfast
