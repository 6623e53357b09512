#pragma once

#include <memory>
#include <vector>

#include "npgfast/geometry/natural_gradient.hpp"
#include "npgfast/geometry/surrogate.hpp"

namespace npgfast {

/// What a new theta does on a batch, compared with the theta that the batch belongs to.
struct Move {
    double kl = 0.0;    ///< KL(old || new) in nats, weighted as the batch is; +inf where new forbids what old does
    double gain = 0.0;  ///< L sum w (r - 1) A
    bool is_finite = true;
};

/// A policy on a batch, seen from the theta that collected it: all that an update asks of either kind of policy.
class LocalModel {
public:
    virtual ~LocalModel() = default;

    /// grad J, (d,), with L.
    virtual std::vector<double> gradient() const = 0;
    virtual NaturalGradient natural_gradient(Reals gradient, const NaturalGradientOptions& options) const = 0;
    /// result = (F + damping (tr F / d) I) vector
    virtual void fisher_product(Reals vector, Estimator estimator, double damping, MutableReals result) const = 0;
    /// F (d, d), undamped.
    virtual std::vector<double> fisher_matrix(Estimator estimator) const = 0;
    /// x^T F x, undamped, never negative.
    virtual double fisher_quadratic(Reals direction, Estimator estimator) const = 0;
    /// Brings theta into the policy's bounds, if it has some.
    virtual void confine(MutableReals) const {}
    /// Confines theta (finite) and compares it with the old one.
    virtual Move move(MutableReals theta) const = 0;
    /// `theta` is read at every evaluation and must outlive the minibatches. Needs the entries of the batch.
    virtual std::unique_ptr<Minibatch> minibatch(Reals theta) const = 0;
    /// The surrogate of the policy at this theta, clipped unless clip_range is infinite.
    /// Needs the entries with log_probs.
    virtual Surrogate surrogate(double clip_range) const = 0;
    virtual double effective_horizon() const = 0;

    /// Whether the advantages of all actions are known, tried or not; the answer below is then no guess.
    virtual bool knows_all_advantages() const { return false; }
    /// Whether max_a A - E_pi A >= `least` at some reachable state; true where that is not known.
    virtual bool gains(double) const { return true; }
};

}  // namespace npgfast
