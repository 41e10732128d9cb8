#include "store/spool.hpp"

#include "store/master_key.hpp"
#include "store/posix_directory.hpp"
#include "store/spool_core.hpp"

#include <algorithm>
#include <utility>

namespace mailferry::store {
namespace {

/// Below this a single segment would already be a large part of the spool.
constexpr std::uint64_t spool_bytes_min = 4U << 20;

}  // namespace

awaitable<Result<std::unique_ptr<Spool>>> open_spool_in(SpoolEnvironment environment,
                                                        asio::any_io_executor executor,
                                                        SpoolOptions options, Secret master_key,
                                                        std::vector<LiveItem> live,
                                                        std::function<void(std::uint64_t)> lost,
                                                        RecoveredSpool& report) {
    if (options.settings.max_bytes.value < spool_bytes_min)
        co_return Error{Errc::invalid_config, "spool.max_bytes must be at least 4MiB"};
    auto const key = parse_master_key(std::move(master_key));
    if (!key) co_return key.error();
    KeyWrap keys(*key, options.uuid);
    auto found = co_await recover_spool(*environment.directory, options.uuid, keys, std::move(live),
                                        lost, report);
    if (!found) co_return found.error().in("spool " + environment.directory->path());
    std::unique_ptr<Spool> spool =
        std::make_unique<SpoolCore>(std::move(environment), std::move(executor), std::move(options),
                                    std::move(keys), std::move(*found));
    co_return spool;
}

awaitable<Result<std::unique_ptr<Spool>>> open_spool(asio::any_io_executor executor,
                                                     SpoolOptions options, Secret master_key,
                                                     std::vector<LiveItem> live,
                                                     std::function<void(std::uint64_t)> lost,
                                                     RecoveredSpool& report) {
    static SystemClock const clock;
    auto directory = open_directory(executor, options.directory, options.use_io_uring);
    if (!directory) co_return directory.error();
    SpoolEnvironment environment;
    environment.directory = std::move(*directory);
    environment.clock = &clock;
    co_return co_await open_spool_in(std::move(environment), std::move(executor),
                                     std::move(options), std::move(master_key), std::move(live),
                                     std::move(lost), report);
}

}  // namespace mailferry::store
