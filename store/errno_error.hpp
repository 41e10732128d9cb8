#pragma once

#include "config/base/error.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace mailferry::store {

/// A failed system call as an Error. A full disk or quota is a state that passes; all else is not.
inline Error errno_error(int code, std::string what) {
    auto const full = code == ENOSPC || code == EDQUOT;
    what.append(": ").append(std::generic_category().message(code));
    return {full ? Errc::disk_full : Errc::io_error, std::move(what)};
}

}  // namespace mailferry::store
