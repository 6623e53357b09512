#pragma once

#include <numbers>

#include "npgfast/problems/simulator.hpp"

namespace npgfast {

/// A pole of mass m and half-length l, hinged without friction on a cart; together they weigh M. An action pushes the
/// cart with the force F = -10 N (0) or 10 N (1) for tau = 0.02 s.
///
///     push   = (F + m l theta'^2 sin theta) / M
///     theta'' = (g sin theta - cos theta push) / (l (4/3 - m cos^2 theta / M))
///     x''     = push - m l theta'' cos theta / M,    state += tau state'  (explicit Euler)
///
/// State: x in m, x' in m/s, theta in rad from upright, theta' in rad/s; start: each uniform on [-0.05, 0.05).
/// Observation: the state. Reward: 1 a step. Terminated: |x| > 2.4 or |theta| > 12 degrees. Parameters: none.
/// Source: Barto, Sutton & Anderson 1983; equations of Florian 2007, without friction.
class CartPole final : public Simulator {
public:
    Index state_size() const override { return 4; }
    Index observation_size() const override { return 4; }
    Index n_actions() const override { return 2; }
    Index action_size() const override { return 1; }
    void start(double* state, Stream& random) const override;
    unsigned step(Index n, double* states, const double* actions, const double* noise,
                  double* rewards) const override;
    void observe(Index n, const double* states, double* observations) const override;

private:
    static constexpr double kGravity = 9.8;
    static constexpr double kPoleMass = 0.1;
    static constexpr double kMass = 1.0 + kPoleMass;
    static constexpr double kHalfLength = 0.5;
    static constexpr double kMoment = kPoleMass * kHalfLength;
    static constexpr double kForce = 10.0;
    static constexpr double kTimeStep = 0.02;
    static constexpr double kLargestStart = 0.05;
    static constexpr double kLargestPosition = 2.4;
    static constexpr double kLargestAngle = 12.0 * 2.0 * std::numbers::pi / 360.0;
};

}  // namespace npgfast
