#include "npgfast/problems/cart_pole.hpp"

#include <algorithm>
#include <cmath>

namespace npgfast {

void CartPole::start(double* state, Stream& random) const {
    std::generate_n(state, 4, [&] { return random.uniform(-kLargestStart, kLargestStart); });
}

Transition CartPole::step(double* state, const double* action, Stream&) const {
    const double velocity = state[1], angle = state[2], angular_velocity = state[3];
    const double force = action[0] == 1.0 ? kForce : -kForce;
    const double cosine = std::cos(angle), sine = std::sin(angle);
    const double push = (force + kPoleMass * kHalfLength * (angular_velocity * angular_velocity) * sine) / kMass;
    const double angular_acceleration = (kGravity * sine - cosine * push) /
                                        (kHalfLength * (4.0 / 3.0 - kPoleMass * (cosine * cosine) / kMass));
    const double acceleration = push - kPoleMass * kHalfLength * angular_acceleration * cosine / kMass;
    state[0] += kTimeStep * velocity;
    state[1] += kTimeStep * acceleration;
    state[2] += kTimeStep * angular_velocity;
    state[3] += kTimeStep * angular_acceleration;
    return {1.0, std::abs(state[0]) > kLargestPosition || std::abs(state[2]) > kLargestAngle};
}

void CartPole::observe(const double* state, double* observation) const { std::copy_n(state, 4, observation); }

}  // namespace npgfast
