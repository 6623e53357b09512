#pragma once

#include <chrono>
#include <future>

#include "bindings/pybind.hpp"
#include "npgfast/base/interrupt.hpp"

namespace npgfast::bindings {

/// Runs `call(interrupt)` on a thread without the GIL, while this one looks for signals every 20 ms. A signal handler
/// that raises (Ctrl-C) stops the call and its exception is thrown here; what the call wrote is then to be dropped.
template <class Call>
auto interruptible(Call&& call) {
    Interrupt interrupt;
    auto pending = std::async(std::launch::async, [&] { return call(interrupt); });
    for (;;) {
        {
            const py::gil_scoped_release release;
            if (pending.wait_for(std::chrono::milliseconds(20)) == std::future_status::ready) break;
        }
        if (PyErr_CheckSignals() != 0) {
            interrupt.request();
            {
                const py::gil_scoped_release release;
                pending.wait();
            }
            throw py::error_already_set();
        }
    }
    return pending.get();
}

}  // namespace npgfast::bindings
