#ifndef EIGEN_KLUSUPPORT_MODULE_H
#error "Please include Eigen/KLUSupport instead of including headers inside the src directory directly."
#endif
