// The operations of docs/arithmetic.md as operators of LibTorch, with their gradients: LibTorch keeps tensors and the graph, and every value
// is computed by the kernels, which are Rust (module kernels).
//
// Each operator checks what it is given and hands kernels nothing but whole arrays, row by row, of the sizes that it says. Nothing here may compute
// a value by itself, but for a gradient times what the graph brings; and no exception may get out: callers are Rust.

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>

#include "kernels.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

constexpr int64_t ANY = -1;

void done(int status) { TORCH_CHECK(status == 0, "a kernel of the arithmetic met what can't be"); }

size_t size(int64_t count) { return static_cast<size_t>(count); }

void is_in_memory(const Tensor& tensor, at::ScalarType type, int64_t dimensions, const char* name) {
  TORCH_CHECK(tensor.defined() && tensor.device().is_cpu() && tensor.layout() == at::kStrided, name, ": no array in memory");
  TORCH_CHECK(tensor.scalar_type() == type, name, ": ", tensor.scalar_type(), " instead of ", type);
  TORCH_CHECK(dimensions == ANY || tensor.dim() == dimensions, name, ": ", tensor.dim(), " dimensions instead of ", dimensions);
}

// What a kernel may read: single precision, row by row; a copy where it lies in memory in another way.
Tensor floats(const Tensor& tensor, int64_t dimensions, const char* name) {
  is_in_memory(tensor, at::kFloat, dimensions, name);
  return tensor.resolve_neg().contiguous();
}

Tensor integers(const Tensor& tensor, int64_t dimensions, const char* name) {
  is_in_memory(tensor, at::kLong, dimensions, name);
  return tensor.contiguous();
}

void fits(const Tensor& tensor, at::IntArrayRef shape, const char* name) {
  TORCH_CHECK(tensor.sizes() == shape, name, ": ", tensor.sizes(), " instead of ", shape);
}

// An output's gradient, of the output's shape.
Tensor gradient(const variable_list& gradients, at::IntArrayRef shape) {
  TORCH_CHECK(!at::GradMode::is_enabled(), "gradients of gradients aren't defined");
  Tensor dy = floats(gradients.at(0), ANY, "a gradient");
  fits(dy, shape, "a gradient");
  return dy;
}

Tensor like(const Tensor& tensor) { return at::empty(tensor.sizes(), tensor.options()); }

const float* read(const Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }

float* write(Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }

// Rows of an array whose last dimension is a row.
struct Rows {
  size_t count, length;
  explicit Rows(const Tensor& tensor) : count(0), length(0) {
    TORCH_CHECK(tensor.dim() > 0, "a single value has no rows");
    length = size(tensor.size(-1));
    count = length == 0 ? 0 : size(tensor.numel()) / length;
  }
};

std::optional<Tensor> optional(const Tensor* tensor) {
  if (tensor == nullptr) return std::nullopt;
  return *tensor;
}

// A bias of so many values, or nothing.
Tensor bias_of(const std::optional<Tensor>& bias, int64_t values) {
  if (!bias.has_value() || !bias->defined()) return Tensor();
  Tensor b = floats(*bias, 1, "a bias");
  fits(b, {values}, "a bias");
  return b;
}

struct Linear : public Function<Linear> {
  static Tensor forward(AutogradContext* context, const Tensor& inputs, const Tensor& weights, const std::optional<Tensor>& bias) {
    const Tensor x = floats(inputs, 2, "inputs"), w = floats(weights, 2, "weights");
    fits(w, {w.size(0), x.size(1)}, "weights");
    const Tensor b = bias_of(bias, w.size(0));
    Tensor y = at::empty({x.size(0), w.size(0)}, x.options());
    done(hydra_linear(read(x), read(w), read(b), write(y), size(x.size(0)), size(x.size(1)), size(w.size(0))));
    context->save_for_backward({x, w});
    context->saved_data["bias"] = b.defined();
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved.at(0), &w = saved.at(1);
    const size_t samples = size(x.size(0)), inputs = size(x.size(1)), outputs = size(w.size(0));
    const Tensor dy = gradient(gradients, {x.size(0), w.size(0)});
    Tensor dx, dw, db;
    if (context->needs_input_grad(0)) {
      dx = like(x);
      done(hydra_linear_inputs(read(dy), read(w), write(dx), samples, inputs, outputs));
    }
    if (context->needs_input_grad(1)) {
      dw = like(w);
      done(hydra_linear_weights(read(dy), read(x), write(dw), samples, inputs, outputs));
    }
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) {
      db = at::empty({w.size(0)}, w.options());
      done(hydra_linear_bias(read(dy), write(db), samples, outputs));
    }
    return {dx, dw, db};
  }
};

struct Relu : public Function<Relu> {
  static Tensor forward(AutogradContext* context, const Tensor& inputs) {
    const Tensor x = floats(inputs, ANY, "inputs");
    Tensor y = like(x);
    done(hydra_relu(read(x), write(y), size(x.numel())));
    // Where x is not above 0, neither is y, and the other way round.
    context->save_for_backward({y});
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor y = context->get_saved_variables().at(0);
    const Tensor dy = gradient(gradients, y.sizes());
    Tensor dx = like(y);
    done(hydra_relu_gradient(read(y), read(dy), write(dx), size(y.numel())));
    return {dx};
  }
};

struct Gelu : public Function<Gelu> {
  static Tensor forward(AutogradContext* context, const Tensor& inputs) {
    const Tensor x = floats(inputs, ANY, "inputs");
    Tensor y = like(x);
    done(hydra_gelu(read(x), write(y), size(x.numel())));
    context->save_for_backward({x});
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor x = context->get_saved_variables().at(0);
    const Tensor dy = gradient(gradients, x.sizes());
    Tensor dx = like(x);
    done(hydra_gelu_gradient(read(x), read(dy), write(dx), size(x.numel())));
    return {dx};
  }
};

struct Softmax : public Function<Softmax> {
  static Tensor forward(AutogradContext* context, const Tensor& inputs) {
    const Tensor x = floats(inputs, ANY, "inputs");
    const Rows rows(x);
    Tensor y = like(x);
    done(hydra_softmax(read(x), write(y), rows.count, rows.length));
    context->save_for_backward({y});
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor y = context->get_saved_variables().at(0);
    const Rows rows(y);
    const Tensor dy = gradient(gradients, y.sizes());
    Tensor dx = like(y);
    done(hydra_softmax_gradient(read(y), read(dy), write(dx), rows.count, rows.length));
    return {dx};
  }
};

struct CrossEntropyMean : public Function<CrossEntropyMean> {
  static Tensor forward(AutogradContext* context, const Tensor& inputs, const Tensor& classes) {
    const Tensor x = floats(inputs, 2, "logits"), labels = integers(classes, 1, "labels");
    fits(labels, {x.size(0)}, "labels");
    Tensor mean = at::empty({}, x.options()), dx;
    // Of the same exponentials.
    if (inputs.requires_grad()) dx = like(x);
    done(hydra_cross_entropy(read(x), labels.const_data_ptr<int64_t>(), write(mean), dx.defined() ? write(dx) : nullptr, size(x.size(0)),
                             size(x.size(1))));
    context->save_for_backward({dx});
    return mean;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor dx = context->get_saved_variables().at(0);
    // By 1 where this is the loss, which changes nothing.
    return {dx.mul(gradient(gradients, {})), Tensor()};
  }
};

struct LayerNorm : public Function<LayerNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& inputs, const Tensor& scales, const Tensor& shifts, double epsilon) {
    const Tensor x = floats(inputs, ANY, "inputs"), gamma = floats(scales, 1, "scales"), beta = floats(shifts, 1, "shifts");
    const Rows rows(x);
    fits(gamma, {x.size(-1)}, "scales");
    fits(beta, {x.size(-1)}, "shifts");
    Tensor y = like(x), statistics = at::empty({static_cast<int64_t>(rows.count), 2}, x.options());
    done(hydra_layer_norm(read(x), read(gamma), read(beta), static_cast<float>(epsilon), write(y), write(statistics), rows.count, rows.length));
    context->save_for_backward({x, gamma, statistics});
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved.at(0), &gamma = saved.at(1), &statistics = saved.at(2);
    const Rows rows(x);
    const Tensor dy = gradient(gradients, x.sizes());
    Tensor dx = like(x), dgamma = like(gamma), dbeta = like(gamma);
    done(hydra_layer_norm_gradient(read(dy), read(x), read(gamma), read(statistics), write(dx), write(dgamma), write(dbeta), rows.count,
                                   rows.length));
    return {dx, dgamma, dbeta, Tensor()};
  }
};

struct Embedding : public Function<Embedding> {
  static Tensor forward(AutogradContext* context, const Tensor& entries, const Tensor& indices) {
    const Tensor table = floats(entries, 2, "a table"), tokens = integers(indices, ANY, "tokens");
    auto shape = tokens.sizes().vec();
    shape.push_back(table.size(1));
    Tensor y = at::empty(shape, table.options());
    done(hydra_embedding(read(table), tokens.const_data_ptr<int64_t>(), write(y), size(table.size(0)), size(tokens.numel()),
                         size(table.size(1))));
    context->save_for_backward({tokens});
    context->saved_data["entries"] = table.size(0);
    context->saved_data["columns"] = table.size(1);
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor tokens = context->get_saved_variables().at(0);
    const int64_t entries = context->saved_data["entries"].toInt(), columns = context->saved_data["columns"].toInt();
    auto shape = tokens.sizes().vec();
    shape.push_back(columns);
    const Tensor dy = gradient(gradients, shape);
    Tensor dtable = at::empty({entries, columns}, dy.options());
    done(hydra_embedding_gradient(read(dy), tokens.const_data_ptr<int64_t>(), write(dtable), size(entries), size(tokens.numel()),
                                  size(columns)));
    return {dtable, Tensor()};
  }
};

// How many windows of a size fit at a stride.
int64_t places(int64_t length, int64_t window, int64_t stride) {
  TORCH_CHECK(window > 0 && stride > 0 && length >= window, "a window of ", window, " at a stride of ", stride, " in ", length);
  return (length - window) / stride + 1;
}

struct Conv2d : public Function<Conv2d> {
  static HydraConvolution shape(const Tensor& x, const Tensor& w, int64_t stride, int64_t padding) {
    return {size(x.size(0)), size(x.size(1)), size(x.size(2)), size(x.size(3)), size(w.size(0)),
            size(w.size(2)), size(w.size(3)), size(stride),    size(padding)};
  }
  static std::array<int64_t, 4> outputs(const Tensor& x, const Tensor& w, int64_t stride, int64_t padding) {
    return {x.size(0), w.size(0), places(x.size(2) + 2 * padding, w.size(2), stride), places(x.size(3) + 2 * padding, w.size(3), stride)};
  }
  static Tensor forward(AutogradContext* context, const Tensor& images, const Tensor& filters, const std::optional<Tensor>& bias,
                        int64_t stride, int64_t padding) {
    const Tensor x = floats(images, 4, "images"), w = floats(filters, 4, "filters");
    TORCH_CHECK(padding >= 0, "a padding of ", padding);
    fits(w, {w.size(0), x.size(1), w.size(2), w.size(3)}, "filters");
    const Tensor b = bias_of(bias, w.size(0));
    Tensor y = at::empty(outputs(x, w, stride, padding), x.options());
    const HydraConvolution sizes = shape(x, w, stride, padding);
    done(hydra_conv2d(&sizes, read(x), read(w), read(b), write(y)));
    context->save_for_backward({x, w});
    context->saved_data["bias"] = b.defined();
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved.at(0), &w = saved.at(1);
    const int64_t stride = context->saved_data["stride"].toInt(), padding = context->saved_data["padding"].toInt();
    const HydraConvolution sizes = shape(x, w, stride, padding);
    const Tensor dy = gradient(gradients, outputs(x, w, stride, padding));
    Tensor dx, dw, db;
    if (context->needs_input_grad(0)) {
      dx = like(x);
      done(hydra_conv2d_inputs(&sizes, read(dy), read(w), write(dx)));
    }
    if (context->needs_input_grad(1)) {
      dw = like(w);
      done(hydra_conv2d_weights(&sizes, read(dy), read(x), write(dw)));
    }
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) {
      db = at::empty({w.size(0)}, w.options());
      done(hydra_conv2d_bias(&sizes, read(dy), write(db)));
    }
    return {dx, dw, db, Tensor(), Tensor()};
  }
};

HydraPooling pooling(at::IntArrayRef images, int64_t window, int64_t stride) {
  return {size(images[0] * images[1]), size(images[2]), size(images[3]), size(window), size(stride)};
}

std::array<int64_t, 4> pooled(at::IntArrayRef images, int64_t window, int64_t stride) {
  return {images[0], images[1], places(images[2], window, stride), places(images[3], window, stride)};
}

struct MaxPool2d : public Function<MaxPool2d> {
  static Tensor forward(AutogradContext* context, const Tensor& images, int64_t window, int64_t stride) {
    const Tensor x = floats(images, 4, "images");
    Tensor y = at::empty(pooled(x.sizes(), window, stride), x.options());
    // 32 bits each, whatever LibTorch calls them.
    Tensor kept = at::empty(y.sizes(), x.options().dtype(at::kInt));
    const HydraPooling sizes = pooling(x.sizes(), window, stride);
    done(hydra_max_pool2d(&sizes, read(x), write(y), reinterpret_cast<uint32_t*>(kept.mutable_data_ptr<int32_t>())));
    context->save_for_backward({kept});
    context->saved_data["images"] = x.sizes().vec();
    context->saved_data["window"] = window;
    context->saved_data["stride"] = stride;
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor kept = context->get_saved_variables().at(0);
    const auto images = context->saved_data["images"].toIntVector();
    const HydraPooling sizes = pooling(images, context->saved_data["window"].toInt(), context->saved_data["stride"].toInt());
    const Tensor dy = gradient(gradients, kept.sizes());
    Tensor dx = at::empty(images, dy.options());
    done(hydra_max_pool2d_gradient(&sizes, read(dy), reinterpret_cast<const uint32_t*>(kept.const_data_ptr<int32_t>()), write(dx)));
    return {dx, Tensor(), Tensor()};
  }
};

struct MeanPool2d : public Function<MeanPool2d> {
  static Tensor forward(AutogradContext* context, const Tensor& images, int64_t window, int64_t stride) {
    const Tensor x = floats(images, 4, "images");
    Tensor y = at::empty(pooled(x.sizes(), window, stride), x.options());
    const HydraPooling sizes = pooling(x.sizes(), window, stride);
    done(hydra_mean_pool2d(&sizes, read(x), write(y)));
    context->saved_data["images"] = x.sizes().vec();
    context->saved_data["window"] = window;
    context->saved_data["stride"] = stride;
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto images = context->saved_data["images"].toIntVector();
    const int64_t window = context->saved_data["window"].toInt(), stride = context->saved_data["stride"].toInt();
    const HydraPooling sizes = pooling(images, window, stride);
    const Tensor dy = gradient(gradients, pooled(images, window, stride));
    Tensor dx = at::empty(images, dy.options());
    done(hydra_mean_pool2d_gradient(&sizes, read(dy), write(dx)));
    return {dx, Tensor(), Tensor()};
  }
};

// `[heads, length, width]`, where each head of each sequence counts.
struct CausalAttention : public Function<CausalAttention> {
  static Tensor forward(AutogradContext* context, const Tensor& queries, const Tensor& keys, const Tensor& values) {
    const Tensor q = floats(queries, 3, "queries"), k = floats(keys, 3, "keys"), v = floats(values, 3, "values");
    fits(k, q.sizes(), "keys");
    fits(v, q.sizes(), "values");
    Tensor y = like(q), shares = at::empty({q.size(0), q.size(1), q.size(1)}, q.options());
    done(hydra_attention(read(q), read(k), read(v), write(shares), write(y), size(q.size(0)), size(q.size(1)), size(q.size(2))));
    context->save_for_backward({q, k, v, shares});
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &q = saved.at(0), &k = saved.at(1), &v = saved.at(2), &shares = saved.at(3);
    const Tensor dy = gradient(gradients, q.sizes());
    Tensor dq = like(q), dk = like(q), dv = like(q);
    done(hydra_attention_gradient(read(q), read(k), read(v), read(shares), read(dy), write(dq), write(dk), write(dv), size(q.size(0)),
                                  size(q.size(1)), size(q.size(2))));
    return {dq, dk, dv};
  }
};

void say(const char* what, char* message, size_t room) noexcept {
  if (room == 0) return;
  const size_t length = std::min(std::strlen(what), room - 1);
  std::memcpy(message, what, length);
  message[length] = 0;
}

// What `operate` makes, for the caller to keep; null, and why in `message`, if it throws.
template <typename Operate>
Tensor* guarded(char* message, size_t room, Operate operate) noexcept {
  try {
    return new Tensor(operate());
  } catch (const c10::Error& error) {
    say(error.what_without_backtrace(), message, room);
  } catch (const std::exception& error) {
    say(error.what(), message, room);
  } catch (...) {
    say("an exception that says nothing", message, room);
  }
  return nullptr;
}

// Memory that is changed where it is.
float* in_place(const Tensor& tensor, at::IntArrayRef shape, const char* name) {
  is_in_memory(tensor, at::kFloat, ANY, name);
  fits(tensor, shape, name);
  TORCH_CHECK(tensor.is_contiguous() && !tensor.is_neg(), name, ": not row by row");
  // Or a graph that still needs the old values would take these for them.
  tensor.unsafeGetTensorImpl()->bump_version();
  return tensor.mutable_data_ptr<float>();
}

}  // namespace

extern "C" {

Tensor* hydra_operator_linear(const Tensor* x, const Tensor* w, const Tensor* bias, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return Linear::apply(*x, *w, optional(bias)); });
}

Tensor* hydra_operator_relu(const Tensor* x, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return Relu::apply(*x); });
}

Tensor* hydra_operator_gelu(const Tensor* x, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return Gelu::apply(*x); });
}

Tensor* hydra_operator_softmax(const Tensor* x, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return Softmax::apply(*x); });
}

Tensor* hydra_operator_cross_entropy_mean(const Tensor* logits, const Tensor* labels, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return CrossEntropyMean::apply(*logits, *labels); });
}

Tensor* hydra_operator_layer_norm(const Tensor* x, const Tensor* scale, const Tensor* shift, double epsilon, char* message,
                                  size_t room) noexcept {
  return guarded(message, room, [&] { return LayerNorm::apply(*x, *scale, *shift, epsilon); });
}

Tensor* hydra_operator_embedding(const Tensor* table, const Tensor* tokens, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return Embedding::apply(*table, *tokens); });
}

Tensor* hydra_operator_conv2d(const Tensor* x, const Tensor* w, const Tensor* bias, int64_t stride, int64_t padding, char* message,
                              size_t room) noexcept {
  return guarded(message, room, [&] { return Conv2d::apply(*x, *w, optional(bias), stride, padding); });
}

Tensor* hydra_operator_max_pool2d(const Tensor* x, int64_t window, int64_t stride, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return MaxPool2d::apply(*x, window, stride); });
}

Tensor* hydra_operator_mean_pool2d(const Tensor* x, int64_t window, int64_t stride, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return MeanPool2d::apply(*x, window, stride); });
}

Tensor* hydra_operator_causal_attention(const Tensor* q, const Tensor* k, const Tensor* v, char* message, size_t room) noexcept {
  return guarded(message, room, [&] { return CausalAttention::apply(*q, *k, *v); });
}

// Changes the weights, and the buffer if there is one; returns the weights again.
Tensor* hydra_operator_sgd(const Tensor* weights, const Tensor* buffer, const Tensor* gradient, float rate, float momentum, char* message,
                           size_t room) noexcept {
  return guarded(message, room, [&] {
    const at::IntArrayRef shape = weights->sizes();
    const Tensor g = floats(*gradient, ANY, "a gradient");
    fits(g, shape, "a gradient");
    // The kernels take them as slices of their own.
    const bool shared = weights->is_alias_of(g) || (buffer != nullptr && (buffer->is_alias_of(*weights) || buffer->is_alias_of(g)));
    TORCH_CHECK(!shared, "weights, buffer and gradient share memory");
    if (buffer == nullptr) {
      done(hydra_sgd(in_place(*weights, shape, "weights"), read(g), rate, size(g.numel())));
    } else {
      float* b = in_place(*buffer, shape, "a buffer");
      done(hydra_sgd_momentum(in_place(*weights, shape, "weights"), b, read(g), rate, momentum, size(g.numel())));
    }
    return *weights;
  });
}

}  // extern "C"
