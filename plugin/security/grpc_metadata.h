// The metadata of a gRPC call as the guard reads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/server_context.h>

#include "plugin/security/call_guard.h"

namespace larder {

class GrpcMetadata final : public CallMetadata {
 public:
  // `context` must outlive this.
  explicit GrpcMetadata(const grpc::ServerContextBase& context) : context_(context) {}

  std::vector<std::string_view> Values(std::string_view name) const override {
    std::vector<std::string_view> values;
    const auto [begin, end] =
        context_.client_metadata().equal_range(grpc::string_ref(name.data(), name.size()));
    for (auto it = begin; it != end; ++it) {
      values.emplace_back(it->second.data(), it->second.size());
    }
    return values;
  }

 private:
  const grpc::ServerContextBase& context_;
};

}  // namespace larder
