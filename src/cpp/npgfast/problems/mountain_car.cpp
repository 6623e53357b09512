#include "npgfast/problems/mountain_car.hpp"

#include <algorithm>
#include <cmath>

namespace npgfast {

void Mountain::start(double* state, Stream& random) const {
    state[0] = random.uniform(-0.6, -0.4);
    state[1] = 0.0;
}

void Mountain::observe(const double* state, double* observation) const { std::copy_n(state, 2, observation); }

bool Mountain::roll(double* state, double push, double goal) const {
    double& position = state[0];
    double& velocity = state[1];
    velocity = std::clamp(velocity + (push - kGravity * std::cos(3.0 * position)), -kLargestSpeed, kLargestSpeed);
    position = std::clamp(position + velocity, kLeft, kRight);
    if (position == kLeft) velocity = std::max(velocity, 0.0);
    return position >= goal && velocity >= goal_velocity_;
}

Transition MountainCar::step(double* state, const double* action, Stream&) const {
    return {-1.0, roll(state, (action[0] - 1.0) * kForce, kGoal)};
}

Transition MountainCarContinuous::step(double* state, const double* action, Stream&) const {
    const bool at_goal = roll(state, std::clamp(action[0], -1.0, 1.0) * kPower, kGoal);
    for (Index i = 0; i < 2; ++i) state[i] = static_cast<float>(state[i]);
    return {(at_goal ? 100.0 : 0.0) - action[0] * action[0] * 0.1, at_goal};
}

}  // namespace npgfast
