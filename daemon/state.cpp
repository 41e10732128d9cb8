#include "daemon/state.hpp"

#include "config/base/log.hpp"
#include "config/secret_source.hpp"
#include "store/ledger_look.hpp"
#include "store/master_key.hpp"
#include "store/posix_directory.hpp"

#include <sys/stat.h>
#include <cerrno>
#include <cstring>

namespace mailferry::daemon {
namespace {

Result<void> make_state_dir(std::filesystem::path const& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder.parent_path(), failure);
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return Error{Errc::io_error,
                 "state_dir " + folder.string() + " can't be made: " + std::strerror(errno)};
}

Result<Secret> master_key(config::Config const& config) {
    if (config.spool.key.empty())
        return store::load_or_make_master_key(config.daemon.state_dir / "spool.key");
    auto given = config::read_secret(config.spool.key);
    if (!given) return given.error().in("[spool] key");
    return store::parse_master_key(std::move(*given));
}

void log_damage(store::RecoveredSpool const& recovered) {
    for (auto const& damage : recovered.damages) {
        if (damage.torn_tail)
            log::info(
                "torn spool tail dropped",
                {{"segment", damage.segment}, {"offset", damage.offset}, {"bytes", damage.bytes}});
        else
            log::error("spool damaged; its items are fetched again", {{"segment", damage.segment},
                                                                      {"offset", damage.offset},
                                                                      {"bytes", damage.bytes},
                                                                      {"reason", damage.reason}});
    }
}

}  // namespace

awaitable<void> State::close() {
    if (spool) co_await spool->close();
    if (ledger) co_await ledger->close();
}

Result<PastPasses> look_at_passes(asio::any_io_executor executor, std::filesystem::path state_dir) {
    PastPasses past;
    auto const file = state_dir / "ledger.sqlite", spool = state_dir / "spool";
    std::error_code absent;
    // Without the spool's folder there is no lock, and taking it would make both.
    if (!std::filesystem::exists(file, absent) || !std::filesystem::exists(spool, absent))
        return past;
    auto const lock = store::open_directory(executor, spool, false);
    past.in_use = !lock.has_value();
    if (past.in_use) return past;
    auto records = store::look_at_passes(file);
    if (!records) return records.error();
    if (*records) past.records = std::move(**records);
    return past;
}

awaitable<Result<State>> open_state(asio::any_io_executor executor, config::Config config) {
    auto const folder = config.daemon.state_dir;
    auto const made = make_state_dir(folder);
    if (!made) co_return made.error();
    auto key = master_key(config);
    if (!key) co_return key.error();
    State state;
    auto ledger = store::open_sqlite_ledger(executor, folder / "ledger.sqlite");
    if (!ledger) co_return ledger.error();
    state.ledger = std::move(*ledger);
    auto live = co_await state.ledger->live_locations();
    if (!live) co_return live.error();
    std::vector<store::ItemId> lost;
    store::SpoolOptions options{.directory = folder / "spool",
                                .settings = config.spool,
                                .uuid = state.ledger->uuid(),
                                .incarnation = state.ledger->incarnation(),
                                .use_io_uring = true};
    auto spool = co_await store::open_spool(
        executor, std::move(options), std::move(*key), std::move(*live),
        [&lost](std::uint64_t item) { lost.push_back(store::ItemId{item}); }, state.recovered);
    if (!spool) {
        co_await state.ledger->close();
        co_return spool.error();
    }
    state.spool = std::move(*spool);
    log_damage(state.recovered);
    if (!lost.empty()) {
        auto const forgotten = co_await state.ledger->forget_spooled(std::move(lost));
        if (!forgotten) co_return forgotten.error();
    }
    co_return state;
}

}  // namespace mailferry::daemon
