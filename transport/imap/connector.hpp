#pragma once

/// Makes IMAP sessions of one tenant with one admin.

#include "transport/imap/link.hpp"
#include "transport/session.hpp"

#include <memory>

namespace mailferry::imap {

/// Signing in needs the mailbox and happens in the session's open().
class Connector final : public transport::Connector {
public:
    /// `secret`: the admin's password or token, an app registration's secret or key; empty for
    /// `auth = "user"`. Tokens are read again from the admin's file at each sign-in, so that a
    /// refreshed one is used; those of an app registration are fetched and renewed here.
    Connector(asio::any_io_executor executor, config::Tenant tenant, config::Admin admin,
              Secret secret);
    /// The same over streams that `dial` makes.
    Connector(asio::any_io_executor executor, config::Tenant tenant, config::Admin admin,
              Secret secret, Dial dial);

    awaitable<Result<std::unique_ptr<transport::SourceSession>>> connect_source() override;
    awaitable<Result<std::unique_ptr<transport::TargetSession>>> connect_target() override;

private:
    awaitable<Result<std::unique_ptr<Link>>> connect(Side side);
    Result<void> prepare_tokens();

    asio::any_io_executor executor_;
    std::shared_ptr<LinkSettings> settings_;
};

}  // namespace mailferry::imap
