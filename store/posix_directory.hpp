#pragma once

#include "store/segment_file.hpp"

#include <filesystem>
#include <memory>

namespace mailferry::store {

/// Makes the directory (0700) if need be and locks it until the last reference is gone. Files are
/// made with O_EXCL, mode 0600 and all their blocks. Errors: invalid_config when another process
/// holds the lock or the file system is a network one, whose locks and syncs can't be trusted;
/// io_error.
Result<std::shared_ptr<SegmentDirectory>> open_directory(asio::any_io_executor executor,
                                                         std::filesystem::path path,
                                                         bool use_io_uring);

}  // namespace mailferry::store
