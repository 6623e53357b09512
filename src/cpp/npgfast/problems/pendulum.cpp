#include "npgfast/problems/pendulum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace npgfast {

namespace {

/// The angle from upright in [-pi, pi).
double signed_angle(double angle) {
    constexpr double kPi = std::numbers::pi;
    const double rest = std::fmod(angle + kPi, 2.0 * kPi);
    return (rest < 0.0 ? rest + 2.0 * kPi : rest) - kPi;
}

}  // namespace

void Pendulum::start(double* state, Stream& random) const {
    state[0] = random.uniform(-std::numbers::pi, std::numbers::pi);
    state[1] = random.uniform(-1.0, 1.0);
}

Transition Pendulum::step(double* state, const double* action, Stream&) const {
    double& angle = state[0];
    double& speed = state[1];
    const double torque = std::clamp(action[0], -kLargestTorque, kLargestTorque);
    const double from_upright = signed_angle(angle);
    const double cost = from_upright * from_upright + 0.1 * speed * speed + 0.001 * torque * torque;
    const double acceleration = 1.5 * gravity_ * std::sin(angle) + 3.0 * torque;
    speed = std::clamp(speed + acceleration * kTimeStep, -kLargestSpeed, kLargestSpeed);
    angle += speed * kTimeStep;
    return {-cost, false};
}

void Pendulum::observe(const double* state, double* observation) const {
    observation[0] = std::cos(state[0]);
    observation[1] = std::sin(state[0]);
    observation[2] = state[1];
}

}  // namespace npgfast
