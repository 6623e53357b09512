// Which of the variants this processor (and operating system) can run, from the weakest to the strongest.

#include <string>
#include <vector>

#include "bindings/pybind.hpp"

namespace {

std::vector<std::string> supported_isas() {
#if defined(__x86_64__) && !defined(__APPLE__)
    std::vector<std::string> names;
    if (__builtin_cpu_supports("x86-64-v2")) names.emplace_back("x86-64-v2");
    if (__builtin_cpu_supports("x86-64-v3")) names.emplace_back("x86-64-v3");
    if (__builtin_cpu_supports("x86-64-v4")) names.emplace_back("x86-64-v4");
    return names;
#else
    return {"baseline"};
#endif
}

}  // namespace

PYBIND11_MODULE(_cpu, m, py::mod_gil_not_used()) { m.def("supported_isas", &supported_isas); }
