#pragma once

#include "npgfast/problems/simulator.hpp"

namespace npgfast {

/// A rod of 1 kg and 1 m on a motor too weak to lift it in one go: torque u = clip(a, -2, 2) in N m for tau = 0.05 s.
///
///     reward  = -(angle(theta)^2 + 0.1 theta'^2 + 0.001 u^2),  angle in [-pi, pi), of the state before the step
///     theta' += tau (3/2 g sin theta + 3 u),  |theta'| <= 8;    theta += tau theta'  (semi-implicit Euler)
///
/// State: theta in rad from upright, which grows without bound, and theta' in rad/s; start: theta uniform on
/// [-pi, pi), theta' on [-1, 1). Observation: cos theta, sin theta, theta'. It never terminates.
/// Parameters: g in m/s^2. Source: the equation of a rod turning about its end, I = m l^2 / 3; the task is Gymnasium's.
class Pendulum final : public Simulator {
public:
    explicit Pendulum(double gravity) : gravity_(gravity) {}
    Index state_size() const override { return 2; }
    Index observation_size() const override { return 3; }
    Index n_actions() const override { return 0; }
    Index action_size() const override { return 1; }
    void start(double* state, Stream& random) const override;
    unsigned step(Index n, double* states, const double* actions, const double* noise,
                  double* rewards) const override;
    void observe(Index n, const double* states, double* observations) const override;

private:
    static constexpr double kTimeStep = 0.05;
    static constexpr double kLargestTorque = 2.0;
    static constexpr double kLargestSpeed = 8.0;
    double gravity_;
};

}  // namespace npgfast
