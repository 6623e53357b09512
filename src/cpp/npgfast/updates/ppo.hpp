#pragma once

#include <cstdint>
#include <vector>

#include "npgfast/updates/update.hpp"

namespace npgfast {

/// Over which entries the advantages are centred and divided by their standard deviation.
enum class Normalize : int { none = 0, batch, minibatch };

struct PpoOptions {
    double clip_range = 0.2;
    double learning_rate = 3e-4;
    double entropy_coefficient = 0.0;
    double max_gradient_norm = 0.5;  ///< 0: no clipping
    double target_kl = 0.0;          ///< stop the epochs when the estimated KL passes 1.5 target_kl; 0: never
    Index n_epochs = 10;
    Index minibatch_size = 0;        ///< 0: the whole batch
    Normalize normalize = Normalize::batch;
    double adam_beta1 = 0.9;
    double adam_beta2 = 0.999;
    double adam_epsilon = 1e-8;
    std::uint64_t seed = 0;
    std::uint32_t iteration = 0;
};

/// Moments of Adam and the number of its steps; part of the state of a run.
struct AdamState {
    MutableReals first, second;
    double& n_steps;
};

/// The entries of the batch behind the model, each (n,).
struct PpoEntries {
    Reals weights;
    Reals advantages;
    Reals log_probs;
};

/// Epochs of minibatch ascent on the clipped surrogate, without L, plus an entropy bonus.
///
///     sum_{i in B} (n/|B|) w_i [min(r_i A_i, clip(r_i) A_i) + c H(pi(.|s_i))]
///
/// ascended by Adam after clipping the gradient's norm. Every entry is used once per epoch, in an order drawn from
/// (seed, iteration, epoch). Advantages are centred and divided by their weighted population standard deviation over
/// `options.normalize`; a spread below 1e-12 of their size is rounding and becomes 0; a batch of one is left alone.
/// `zero_gradient` if the first gradient, entropy included, is 0; `non_finite` restores theta and Adam of the whole
/// iteration. Reports the true KL(old || new) and the unclipped surrogate gain.
/// Cost: n_epochs passes over the entries; what bounds them is said with the minibatches (softmax_minibatch.hpp). What
/// a shuffled entry takes lies side by side. Source: Schulman et al. 2017, eq. (7) and (9); Kingma &
/// Ba 2015.
UpdateReport ppo_step(const UpdateInput& input, const PpoEntries& entries, const PpoOptions& options, AdamState adam,
                      const Interrupt& interrupt);

}  // namespace npgfast
