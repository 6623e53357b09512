#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Threads that work together on one parallel loop after another, the calling thread among them.
///
/// They start at the first loop that can use them and end with the object, so a process may fork before or after its
/// life. Between two loops they spin for some tens of microseconds, then sleep: a loop that follows soon costs one
/// or two microseconds, the first one the start of its threads (up to some 50 microseconds each, after which a
/// thread that has not been given a processor is sent to one). The caller never waits for a thread that has not
/// woken up. If the system refuses a thread, the others do its work. One thread at a time may call `run`, and no
/// task may call that of its own team.
class Team {
public:
    explicit Team(int n_threads) : n_threads_(n_threads) {}
    ~Team();
    Team(const Team&) = delete;

    int n_threads() const { return n_threads_; }

    /// Whether a loop that takes one thread about so long, and that other loops may follow, should be run by all of
    /// them. Threads that have started pay from 40 microseconds on. Their start takes some 100: it waits until the
    /// loops so far come to 250 microseconds, when it costs no more than it saves.
    bool pays(double microseconds);

    /// Runs `task(i)` for i = 0..n_tasks-1. Tasks are handed out one by one; each must write only what is its own. The
    /// first exception of a task ends the hand-out and is thrown to the caller.
    void run(Index n_tasks, const std::function<void(Index)>& task);

    /// Cuts 0..n-1 into one range for each thread and runs `task(first, last)` on them. Where the cuts fall depends on
    /// the number of threads: a result that does not must come from each index by itself.
    void split(Index n, const std::function<void(Index, Index)>& task) {
        const Index n_ranges = n_threads_;
        run(n_ranges, [&](Index i) { task(i * n / n_ranges, (i + 1) * n / n_ranges); });
    }

private:
    void start(Index n_tasks);
    void serve();
    void work();

    int n_threads_;
    double microseconds_ = 0.0;  ///< of the loops that `pays` was asked about before the start
    std::vector<std::thread> threads_;
    const std::function<void(Index)>* task_ = nullptr;
    Index n_tasks_ = 0;
    std::atomic<Index> next_{0};
    std::atomic<std::uint32_t> round_{0};  ///< counts the loops; what sleeping threads wait on
    std::atomic<bool> is_open_{false};     ///< whether the loop of this round still wants hands
    std::atomic<bool> is_over_{false};
    std::atomic<int> n_begun_{0};          ///< threads that have run
    std::atomic<int> n_active_{0};         ///< threads that may be at work, the caller apart
    std::mutex guard_;
    std::exception_ptr failure_;
};

/// One loop on a team of its own: `task(i)` for i = 0..n_tasks-1 on up to `n_threads` threads.
void parallel_for(Index n_tasks, int n_threads, const std::function<void(Index)>& task);

}  // namespace npgfast
