// A server that shares a data directory with others of its process, as plugins of several processes
// do.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "plugin/forward/forwarder.h"
#include "plugin/forward/owner_socket.h"
#include "plugin/forward/ownership.h"
#include "plugin/v1/test_clients.h"
#include "storage/engine/store.h"

namespace larder {

// One process on a data directory. It forwards until it is told to own.
class Member {
 public:
  explicit Member(std::string data_dir, ServerOptions options = {},
                  uint64_t hold_ms = Forwarder::kHoldMs)
      : data_dir_(std::move(data_dir)),
        socket_(OwnerSocket::At(data_dir_).value()),
        forwarder_(socket_->address(), hold_ms) {
    options.forwarder = &forwarder_;
    server_ = StartServer(options);
    clients = std::make_unique<Clients>(server_->port());
  }
  ~Member() { Leave(); }

  // `read_only`: a store that can be read and not written.
  void Own(bool read_only = false) {
    auto ownership = Ownership::Take(data_dir_);
    ASSERT_TRUE(ownership.ok()) << ownership.status().ToString();
    ownership_ = std::move(ownership).value();
    ServeOthers();
    if (!ownership_->is_served()) server_->ServeHeld();
    auto store =
        Store::Open({.data_dir = data_dir_, .read_only = read_only, .lock = ownership_->lock()});
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
    server_->Open(store_.get());
  }
  void ServeOthers() {
    ownership_->Serve([this](const std::string& address) { return server_->ServeOthers(address); });
  }
  // Takes over a store that cannot be opened, and lets go.
  void FailToOwn() {
    auto ownership = Ownership::Take(data_dir_);
    ASSERT_TRUE(ownership.ok()) << ownership.status().ToString();
    (*ownership)->Serve([this](const std::string& address) {
      return server_->ServeOthers(address);
    });
    ASSERT_TRUE(forwarder_.HasOwner(std::chrono::seconds(20)));  // this one, so far
    ASSERT_FALSE(Store::Open({.data_dir = data_dir_, .lock = (*ownership)->lock()}).ok());
    server_->ServeNobody();
  }
  void Leave() {
    if (server_ != nullptr) server_->Drain(std::chrono::milliseconds(2000));
    server_.reset();
    store_.reset();
    ownership_.reset();
  }
  Store& store() { return *store_; }
  Server& server() { return *server_; }
  Forwarder& forwarder() { return forwarder_; }

  std::unique_ptr<Clients> clients;

 private:
  const std::string data_dir_;
  const std::unique_ptr<OwnerSocket> socket_;
  Forwarder forwarder_;
  std::unique_ptr<Ownership> ownership_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Server> server_;
};

}  // namespace larder
