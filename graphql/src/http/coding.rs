//! Content coding: which answers are compressed.

use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

/// Bytes below which a coding saves nothing.
const MIN_BYTES: u64 = 1024;

type Compressible = And<And<SizeAbove, NotForContentType>, NotForContentType>;

/// Brotli, gzip or zstd, as the client likes best: of what is longer than 1 KB or not known to be shorter. Events are
/// sent as they are, each at once; so are pictures that are compressed in themselves.
pub(crate) fn layer() -> CompressionLayer<Compressible> {
    let worth_it = SizeAbove::new(MIN_BYTES + 1).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it)
}
