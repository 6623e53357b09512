#pragma once

#include <numbers>

#include "npgfast/problems/simulator.hpp"

namespace npgfast {

/// Two links hanging from a fixed joint, with a motor between them: torque a - 1 in N m for actions a = 0, 1, 2.
/// Each link is 1 m long, weighs m = 1 kg with its centre at c = 0.5 m, and has moment of inertia I = 1 kg m^2.
///
///     d1 = 2 m c^2 + m (1 + 2 c cos q2) + 2 I,    d2 = m (c^2 + c cos q2) + I
///     phi2 = m c g sin(q1 + q2)
///     phi1 = -m c sin q2 (q2'^2 + 2 q1' q2') + (m c + m) g sin q1 + phi2
///     q2'' = (torque + phi1 d2/d1 - m c q1'^2 sin q2 - phi2) / (m c^2 + I - d2^2/d1)
///     q1'' = -(d2 q2'' + phi1) / d1
///
/// by one Runge-Kutta step of fourth order over 0.2 s; then q1, q2 are wrapped to [-pi, pi], |q1'| <= 4 pi and
/// |q2'| <= 9 pi.
/// State: q1 in rad from hanging, q2 in rad from the first link, q1', q2' in rad/s; start: each uniform on [-0.1, 0.1),
/// in single precision as Gymnasium's. Observation: cos q1, sin q1, cos q2, sin q2, q1', q2'.
/// Reward: -1 a step, 0 for the last one. Terminated: the tip is above 1 m, -cos q1 - cos(q1 + q2) > 1.
/// Parameters: none. Source: Sutton & Barto 1998, section 11.3 (the book's equations, not those of Sutton 1996).
class Acrobot final : public Simulator {
public:
    Index state_size() const override { return 4; }
    Index observation_size() const override { return 6; }
    Index n_actions() const override { return 3; }
    Index action_size() const override { return 1; }
    void start(double* state, Stream& random) const override;
    unsigned step(Index n, double* states, const double* actions, const double* noise,
                  double* rewards) const override;
    void observe(Index n, const double* states, double* observations) const override;

private:
    static constexpr double kLargestStart = 0.1;
    static constexpr double kLargestSpeed1 = 4.0 * std::numbers::pi;
    static constexpr double kLargestSpeed2 = 9.0 * std::numbers::pi;
};

}  // namespace npgfast
