"""The networks of 2K2K, each written as its parts passed in; `sizes` alone knows the sizes."""
