// What the module kernels has for operators.cpp.
//
// Each function returns 0 when it is done; else it met what can't be, and has said so on standard error. Arrays are whole, row by row, and of the
// sizes that are named; a bias may be null.

#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct HydraConvolution {
  size_t images, channels, height, width, filters, rows, columns, stride, padding;
};

struct HydraPooling {
  size_t planes, height, width, window, stride;
};

int hydra_linear(const float* x, const float* w, const float* bias, float* y, size_t samples, size_t inputs, size_t outputs);
int hydra_linear_inputs(const float* dy, const float* w, float* dx, size_t samples, size_t inputs, size_t outputs);
int hydra_linear_weights(const float* dy, const float* x, float* dw, size_t samples, size_t inputs, size_t outputs);
int hydra_linear_bias(const float* dy, float* db, size_t samples, size_t outputs);
int hydra_relu(const float* x, float* y, size_t count);
int hydra_relu_gradient(const float* y, const float* dy, float* dx, size_t count);
int hydra_gelu(const float* x, float* y, size_t count);
int hydra_gelu_gradient(const float* x, const float* dy, float* dx, size_t count);
int hydra_softmax(const float* x, float* y, size_t rows, size_t columns);
int hydra_softmax_gradient(const float* y, const float* dy, float* dx, size_t rows, size_t columns);
// A mean, and its gradient unless that is null.
int hydra_cross_entropy(const float* logits, const int64_t* labels, float* mean, float* dx, size_t rows, size_t columns);
// Two statistics for each row.
int hydra_layer_norm(const float* x, const float* gamma, const float* beta, float epsilon, float* y, float* statistics, size_t rows,
                     size_t columns);
int hydra_layer_norm_gradient(const float* dy, const float* x, const float* gamma, const float* statistics, float* dx, float* dgamma,
                              float* dbeta, size_t rows, size_t columns);
int hydra_embedding(const float* table, const int64_t* tokens, float* y, size_t entries, size_t positions, size_t columns);
int hydra_embedding_gradient(const float* dy, const int64_t* tokens, float* dtable, size_t entries, size_t positions, size_t columns);
int hydra_conv2d(const HydraConvolution* shape, const float* x, const float* w, const float* bias, float* y);
int hydra_conv2d_inputs(const HydraConvolution* shape, const float* dy, const float* w, float* dx);
int hydra_conv2d_weights(const HydraConvolution* shape, const float* dy, const float* x, float* dw);
int hydra_conv2d_bias(const HydraConvolution* shape, const float* dy, float* db);
int hydra_max_pool2d(const HydraPooling* shape, const float* x, float* y, uint32_t* kept);
int hydra_max_pool2d_gradient(const HydraPooling* shape, const float* dy, const uint32_t* kept, float* dx);
int hydra_mean_pool2d(const HydraPooling* shape, const float* x, float* y);
int hydra_mean_pool2d_gradient(const HydraPooling* shape, const float* dy, float* dx);
int hydra_attention(const float* q, const float* k, const float* v, float* shares, float* y, size_t heads, size_t length, size_t width);
int hydra_attention_gradient(const float* q, const float* k, const float* v, const float* shares, const float* dy, float* dq, float* dk,
                             float* dv, size_t heads, size_t length, size_t width);
int hydra_sgd(float* w, const float* gradient, float rate, size_t count);
int hydra_sgd_momentum(float* w, float* buffer, const float* gradient, float rate, float momentum, size_t count);

}  // extern "C"
