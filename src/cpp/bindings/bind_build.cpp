#include "bindings/bindings.hpp"
#include "npgfast/base/build.hpp"

namespace npgfast::bindings {

void bind_build(py::module_& m) {
    m.def("build_info", [] {
        const BuildInfo info = npgfast::build_info();
        py::dict facts;
        facts["version"] = info.version;
        facts["isa"] = info.isa;
        facts["compiler"] = info.compiler;
        facts["eigen"] = info.eigen;
        facts["fp_contract"] = info.fp_contract;
        return facts;
    });
}

}  // namespace npgfast::bindings
