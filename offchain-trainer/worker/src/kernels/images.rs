//! Kernels over images: convolution and pooling. SAFETY is as the module above says.

use std::ffi::c_int;

use hydra_arithmetic::{
    convolution::Convolution,
    pool::{self, Windows},
};

use super::{area, bias_of, kernel, read, write};

/// As `HydraConvolution` in `kernels.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct ConvolutionShape {
    images: usize,
    channels: usize,
    height: usize,
    width: usize,
    filters: usize,
    rows: usize,
    columns: usize,
    stride: usize,
    padding: usize,
}

impl ConvolutionShape {
    fn layer(self) -> Convolution {
        Convolution {
            samples: self.images,
            inputs: self.channels,
            height: self.height,
            width: self.width,
            outputs: self.filters,
            kernel: (self.rows, self.columns),
            stride: self.stride,
            padding: self.padding,
        }
    }

    /// Values of all images.
    fn x(self) -> usize {
        area(&[self.images, self.channels, self.height, self.width])
    }

    /// Values of all filters.
    fn w(self) -> usize {
        area(&[self.filters, self.channels, self.rows, self.columns])
    }

    /// Values that come out.
    fn y(self) -> usize {
        area(&[self.images, self.layer().output_size()])
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_conv2d(
    shape: &ConvolutionShape,
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    y: *mut f32,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (x, w) = unsafe { (read(x, shape.x()), read(w, shape.w())) };
        // SAFETY: as above.
        let (bias, y) = unsafe { (bias_of(bias, shape.filters), write(y, shape.y())) };
        shape.layer().forward(cpu, x, w, bias, y);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_conv2d_inputs(
    shape: &ConvolutionShape,
    dy: *const f32,
    w: *const f32,
    dx: *mut f32,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, w, dx) = unsafe { (read(dy, shape.y()), read(w, shape.w()), write(dx, shape.x())) };
        shape.layer().input_gradient(cpu, dy, w, dx);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_conv2d_weights(
    shape: &ConvolutionShape,
    dy: *const f32,
    x: *const f32,
    dw: *mut f32,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, x, dw) = unsafe { (read(dy, shape.y()), read(x, shape.x()), write(dw, shape.w())) };
        shape.layer().weight_gradient(cpu, dy, x, dw);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_conv2d_bias(shape: &ConvolutionShape, dy: *const f32, db: *mut f32) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, db) = unsafe { (read(dy, shape.y()), write(db, shape.filters)) };
        shape.layer().bias_gradient(cpu, dy, db);
    })
}

/// As `HydraPooling` in `kernels.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct PoolingShape {
    planes: usize,
    height: usize,
    width: usize,
    window: usize,
    stride: usize,
}

impl PoolingShape {
    fn windows(self) -> Windows {
        Windows {
            planes: self.planes,
            height: self.height,
            width: self.width,
            size: self.window,
            stride: self.stride,
        }
    }

    /// Values that there are.
    fn x(self) -> usize {
        area(&[self.planes, self.height, self.width])
    }

    /// Values that come out.
    fn y(self) -> usize {
        let windows = self.windows();
        area(&[self.planes, windows.out_height(), windows.out_width()])
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_max_pool2d(
    shape: &PoolingShape,
    x: *const f32,
    y: *mut f32,
    kept: *mut u32,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (x, y, kept) = unsafe { (read(x, shape.x()), write(y, shape.y()), write(kept, shape.y())) };
        pool::max(cpu, &shape.windows(), x, y, kept);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_max_pool2d_gradient(
    shape: &PoolingShape,
    dy: *const f32,
    kept: *const u32,
    dx: *mut f32,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, kept, dx) = unsafe { (read(dy, shape.y()), read(kept, shape.y()), write(dx, shape.x())) };
        pool::max_gradient(cpu, &shape.windows(), dy, kept, dx);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_mean_pool2d(shape: &PoolingShape, x: *const f32, y: *mut f32) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (x, y) = unsafe { (read(x, shape.x()), write(y, shape.y())) };
        pool::mean(cpu, &shape.windows(), x, y);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_mean_pool2d_gradient(shape: &PoolingShape, dy: *const f32, dx: *mut f32) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, dx) = unsafe { (read(dy, shape.y()), write(dx, shape.x())) };
        pool::mean_gradient(cpu, &shape.windows(), dy, dx);
    })
}
