#pragma once

/// The part of Asio that mailferry speaks: one spelling everywhere. A function that returns
/// awaitable<Result<T>> never throws, save boost::system::system_error(operation_aborted) when the
/// coroutine that awaits it is cancelled.

#include "config/base/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mailferry {
namespace asio = boost::asio;
using asio::awaitable;
}  // namespace mailferry
