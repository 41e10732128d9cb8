#pragma once

/// Every number and switch of the simulator; the control interface sets them by these names.

#include <boost/json.hpp>

#include <cstdint>

namespace graphsim {

struct Options {
    std::uint64_t seed = 1;

    double token_seconds = 3599;
    double session_seconds = 3600;
    std::uint64_t session_status = 200;  ///< Of createImportSession: 200 or 201.
    double delta_seconds = 0;            ///< Life of a delta token; 0: for ever.
    bool assertion_by_virtual_clock = false;

    bool throttle = true;
    double throttle_scale = 1;  ///< Divides the two windows' limits.
    std::uint64_t concurrency_max = 4;
    std::uint64_t requests_max = 10'000;
    double requests_window_seconds = 600;
    std::uint64_t upload_bytes_max = 150'000'000;
    double upload_window_seconds = 300;
    double retry_after_missing = 0.1;  ///< Share of concurrency refusals without the header.
    double retry_after_grace_seconds = 0.25;
    bool identity_limits = false;
    std::uint64_t identity_units = 3500;  ///< In 10 seconds, per app and tenant.

    double latency_ms = 20;
    double latency_ms_per_mb = 50;

    bool well_known_names = true;
    double page_short = 0.05;
    double page_empty_last = 0.05;
    double delta_duplicate = 0.05;
    double delta_empty_page = 0.03;
    bool delta_shuffle = true;
    bool delta_expand = false;
    bool filter_extended = true;
    bool items_by_import_export_role = false;

    bool export_shuffle = true;
    bool export_bytes_differ = false;
    std::uint64_t item_bytes_max = 150u << 20;
    std::uint64_t too_large_status = 413;     ///< Or 400.
    std::uint64_t quota_status = 403;         ///< Or 507.
    std::uint64_t conflict_status = 412;      ///< Or 409.
    std::uint64_t move_status = 423;          ///< Or 409.
    std::uint64_t gzip_bytes_max = 1u << 20;  ///< Bodies to this size are packed where accepted.
    bool gzip_streams = false;                ///< Exports are packed too, where accepted.

    /// Throws std::invalid_argument, naming the member, and then has changed nothing.
    void set(boost::json::object const& values);
    boost::json::object to_json() const;
};

}  // namespace graphsim
