# The steps of wim/signal up to a strip's pulses, as one writes them with SciPy: baseline, pulses above a threshold, their areas
# and centres. Reads planar int16 samples from a file, prints the seconds that the steps took, best of three, and the pulses found.
import sys
import time

import numpy as np
from scipy import ndimage, signal

path, strips, threshold = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
samples = np.fromfile(path, dtype=np.int16).reshape(strips, -1)
best, found = 1e9, 0
for _ in range(3):
    began = time.perf_counter()
    found = 0
    for strip in samples:
        x = strip.astype(np.float32)
        # A slow low-pass follows the baseline; what is far above it does not count.
        rough = signal.sosfiltfilt(signal.butter(1, 0.0005, output="sos"), np.minimum(x, np.median(x) + threshold))
        x -= rough.astype(np.float32)
        labels, n = ndimage.label(ndimage.maximum_filter1d(x > threshold, 33))
        if n:
            at = np.arange(1, n + 1)
            areas = ndimage.sum_labels(x, labels, at)
            centres = ndimage.sum_labels(x * np.arange(x.size, dtype=np.float64), labels, at) / areas
            found += np.count_nonzero(areas > 0) if np.all(np.isfinite(centres)) else 0
    best = min(best, time.perf_counter() - began)
print(best, found)
