#pragma once

#include <functional>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Runs `task(i)` for i = 0..n_tasks-1 on up to `n_threads` threads, the calling one among them.
///
/// Inputs: the number of tasks and of threads (>= 1). Tasks are handed out one by one; each must write only what is
/// its own. Threads live for this call alone, so a process may fork before or after it. If the system refuses a
/// thread, the others do its work. The first exception of a task ends the hand-out and is thrown to the caller.
/// Cost: one thread start (tens of microseconds) for each thread beyond the first.
void parallel_for(Index n_tasks, int n_threads, const std::function<void(Index)>& task);

}  // namespace npgfast
