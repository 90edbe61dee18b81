#include "plugin/tenancy/tenant_guard.h"

#include <map>

#include <gtest/gtest.h>

#include "plugin/store/fake_store.h"

namespace larder {
namespace {

class Headers final : public CallMetadata {
 public:
  Headers(std::initializer_list<std::pair<std::string, std::string>> headers) {
    for (const auto& [name, value] : headers) headers_.emplace(name, value);
  }
  std::vector<std::string_view> Values(std::string_view name) const override {
    std::vector<std::string_view> values;
    const auto [begin, end] = headers_.equal_range(std::string(name));
    for (auto it = begin; it != end; ++it) values.emplace_back(it->second);
    return values;
  }

 private:
  std::multimap<std::string, std::string> headers_;
};

class TenantGuardTest : public testing::Test {
 protected:
  TenantGuardTest() { gate_.Open(&store_); }
  Result<Caller> Admit(const TenancyOptions& options, const Headers& headers,
                       Access access = Access::kWrite, bool is_archive = false) {
    return TenantGuard(&guard_, &gate_, options, is_archive).Admit(headers, access);
  }

  const CallGuard guard_;
  FakeStore store_;
  StoreGate gate_;
  TenancyOptions on_{.enabled = true};
};

TEST_F(TenantGuardTest, WithoutTenancyTheHeaderMeansNothing) {
  EXPECT_EQ(Admit({}, {{"x-tenant", "acme"}})->tenant, 0u);
  EXPECT_EQ(Admit({}, {})->tenant, 0u);
}

TEST_F(TenantGuardTest, RefusesAsJaegersGuardDoes) {
  const Status missing = Admit(on_, {}).status();
  EXPECT_EQ(missing.code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(missing.message(), "missing tenant header");
  EXPECT_EQ(Admit(on_, {{"x-tenant", ""}}).status().code(), StatusCode::kUnauthenticated);
  const Status extra = Admit(on_, {{"x-tenant", "a"}, {"x-tenant", "a"}}).status();
  EXPECT_EQ(extra.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(extra.message(), "extra tenant header");
  on_.allowed = {"acme", "beta"};
  const Status unknown = Admit(on_, {{"x-tenant", "gamma"}}).status();
  EXPECT_EQ(unknown.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(unknown.message(), "unknown tenant");
  EXPECT_TRUE(Admit(on_, {{"x-tenant", "beta"}}).ok());
}

TEST_F(TenantGuardTest, WritingMakesATenantAndReadingDoesNot) {
  EXPECT_EQ(Admit(on_, {{"x-tenant", "acme"}}, Access::kRead)->tenant, kNoTenant);
  EXPECT_EQ(Admit(on_, {{"x-tenant", "acme"}}, Access::kWrite)->tenant, 1u);
  EXPECT_EQ(Admit(on_, {{"x-tenant", "acme"}}, Access::kRead)->tenant, 1u);
  EXPECT_EQ(Admit(on_, {{"x-tenant", "beta"}}, Access::kWrite)->tenant, 2u);
  EXPECT_TRUE(Admit(on_, {}, Access::kNone).ok());
}

TEST_F(TenantGuardTest, HeaderAndDefaultAreSettings) {
  on_.header = "X-Scope-OrgID";
  on_.fallback = "everybody";
  EXPECT_EQ(Admit(on_, {{"x-scope-orgid", "acme"}})->tenant, 1u);
  EXPECT_EQ(Admit(on_, {})->tenant, 2u);
  EXPECT_EQ(store_.FindTenant("everybody"), 2u);
}

TEST_F(TenantGuardTest, TheArchiveHasAPortAndAHeader) {
  EXPECT_EQ(Admit({}, {}, Access::kRead, true)->tenant, ArchiveOf(0));
  EXPECT_EQ(Admit({}, {{"larder-data-set", "archive"}})->tenant, ArchiveOf(0));
  EXPECT_EQ(Admit({}, {{"larder-data-set", "main"}})->tenant, 0u);
  EXPECT_EQ(Admit({}, {{"larder-data-set", "cold"}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Admit(on_, {{"x-tenant", "acme"}, {"larder-data-set", "archive"}})->tenant,
            ArchiveOf(1));
}

TEST_F(TenantGuardTest, AClosedStoreIsSaidToBe) {
  gate_.Close("closing");
  EXPECT_EQ(Admit(on_, {{"x-tenant", "acme"}}).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Admit(on_, {}, Access::kNone).ok());
}

TEST_F(TenantGuardTest, TellsAnotherProcessOnlyWhoCalls) {
  const auto identify = [&](const Headers& headers, bool is_archive = false) {
    return TenantGuard(&guard_, &gate_, on_, is_archive).Identify(headers);
  };
  using Told = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*identify({{"x-tenant", "acme"}, {"authorization", "Bearer t"}, {"uberctx-a!b", "c"}}),
            (Told{{"x-tenant", "acme"}}));
  EXPECT_EQ(*identify({{"x-tenant", "acme"}}, /*is_archive=*/true),
            (Told{{"x-tenant", "acme"}, {"larder-data-set", "archive"}}));
  EXPECT_EQ(*identify({}), Told{});
  for (const char* name : {"Z\xfcrich", "a\nb", "a\x7f"}) {
    EXPECT_EQ(identify({{"x-tenant", name}}).status().code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace larder
