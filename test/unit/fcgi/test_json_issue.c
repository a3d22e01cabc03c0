/* An issue as the API shows it: order, masks, joined users, sorted children. */
#include "base/json.h"
#include "fcgi/json_issue.h"
#include "fcgi/json_pick.h"
#include "test/unit/sync/sync_rig.h"

#define ALL (FIELD_BIT(FIELD_COUNT) - 1)

/* The text itself; borrowed until the next call. */
static const char *
shown(struct sync_rig *rig, uint32_t number, uint64_t fields)
{
	static struct buf out;
	struct snap_view *v = fx_view(&rig->fx);
	struct snap_issue i;

	buf_clear(&out);
	buf_init(&out, (size_t)1 << 20);
	arena_reset(&rig->arena);
	assert_int_equal(snap_issue_get(v, number, &i), 0);
	assert_int_equal(json_issue(v, &i, fields, &rig->arena, &out), 0);
	snap_writer_view_end(v);
	return buf_cstr(&out);
}

static void
an_issue_without_facts_has_every_field_at_its_default(void **state)
{
	static const char want[] =
	    "{\"name\":\"acme/widgets/issues/7\",\"title\":\"\","
	    "\"priority\":\"PRIORITY_UNSPECIFIED\",\"priorityUnknown\":true,"
	    "\"issueType\":\"GITHUB_ISSUE_TYPE_UNSPECIFIED\",\"labels\":[],\"createdAt\":null,"
	    "\"updatedAt\":null,\"closedAt\":null,\"closed\":false,\"isPr\":false,"
	    "\"approved\":false,\"gitCommit\":null,\"commit\":\"\",\"issueId\":7,"
	    "\"url\":\"https://github.com/acme/widgets/issues/7\",\"repo\":\"acme/widgets\","
	    "\"blocked\":false,\"releaseBlocking\":false,\"draft\":false,\"mergedAt\":null,"
	    "\"stateReason\":\"\",\"locked\":false,\"milestone\":null,"
	    "\"authorAssociation\":\"\",\"activeLockReason\":\"\","
	    "\"reactions\":{\"totalCount\":0,\"plusOne\":0,\"minusOne\":0,\"laugh\":0,"
	    "\"hooray\":0,\"confused\":0,\"heart\":0,\"rocket\":0,\"eyes\":0},"
	    "\"mergeCommit\":\"\",\"base\":null,\"head\":null,\"requestedTeams\":[],"
	    "\"type\":\"\",\"body\":\"\",\"closedBy\":null,\"assignees\":[],"
	    "\"reporter\":null,\"mergedBy\":null,\"requestedReviewers\":[],"
	    "\"comments\":[],\"reviews\":[],\"reviewComments\":[]}";

	rig_issue_says(*state, 7, "{}");
	assert_string_equal(shown(*state, 7, ALL), want);
}

static const char *
picked(struct sync_rig *rig, uint32_t number, const char *mask)
{
	static struct buf out;
	struct snap_view *v = fx_view(&rig->fx);
	struct field_paths paths;
	struct snap_issue i;
	uint64_t fields;

	buf_clear(&out);
	buf_init(&out, (size_t)1 << 20);
	arena_reset(&rig->arena);
	assert_int_equal(fields_parse(slice_str(mask), &fields, &paths, NULL), 0);
	assert_int_equal(snap_issue_get(v, number, &i), 0);
	assert_int_equal(json_issue_picked(v, &i, fields, &paths, &rig->arena, &out), 0);
	snap_writer_view_end(v);
	return buf_cstr(&out);
}

/* What a path leaves of a value; an owned reference. */
static json_t *
left_by(json_t *value, const char *path)
{
	size_t len = strcspn(path, "."), i;
	json_t *result, *element, *member;
	char key[64];

	if (json_is_array(value)) {
		result = json_array();
		json_array_foreach(value, i, element)
		    json_array_append_new(result, left_by(element, path));
		return result;
	}
	if (path[0] == '\0' || !json_is_object(value))
		return json_incref(value);
	snprintf(key, sizeof(key), "%.*s", (int)len, path);
	result = json_object();
	member = json_object_get(value, key);
	if (member != NULL)
		json_object_set_new(
		    result, key, left_by(member, path + len + (path[len] == '.')));
	return result;
}

static void
say_everything(struct sync_rig *rig, uint32_t number)
{
	rig_issue_says(rig, number,
	    "{'title':'t','bodyChange':{'val':'a {\\\"body\\\": [1,2]} \\\\'},"
	    "'user':{'id':5,'login':'ann'},'pullRequest':true,"
	    "'assignees':[{'id':5,'login':'ann'},{'id':6,'login':'bob'}],"
	    "'milestoneId':3,'milestoneNum':1,'milestoneTitle':'v1, \\\"x\\\"',"
	    "'comment':[{'id':4,'user':{'id':6,'login':'bob'},'body':'c, }]'},"
	    "{'id':5,'body':'\\\"id\\\":1'}],"
	    "'review':[{'id':4,'actorId':5,'state':'APPROVED','body':'r'}]}");
}

static void
each_path_leaves_what_it_names(void **state)
{
	struct sync_rig *rig = *state;
	const char *path;
	json_t *all, *want, *got;

	say_everything(rig, 7);
	all = json_loads(shown(rig, 7, ALL), 0, NULL);
	assert_non_null(all);
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		for (unsigned n = 0; (path = field_path(f, n)) != NULL; n++) {
			char mask[100];

			snprintf(mask, sizeof(mask), "%s.%s", field_key(f), path);
			got = json_loads(picked(rig, 7, mask), JSON_REJECT_DUPLICATES, NULL);
			want = left_by(all, mask);
			assert_non_null(got);
			assert_json_equal(got, want);
			json_decref(got);
			json_decref(want);
		}
	}
	json_decref(all);
}

static void
paths_stand_beside_each_other_and_beside_whole_fields(void **state)
{
	static const struct {
		const char *mask, *want;
	} cases[] = {
		{ "comments.user.login,comments.body,title",
		    "{\"title\":\"t\",\"comments\":[{\"body\":\"c, }]\",\"user\":{\"login\":"
		    "\"bob\"}},{\"body\":\"\\\"id\\\":1\",\"user\":null}]}" },
		{ "comments.user.login,comments.user,comments.id",
		    "{\"comments\":[{\"id\":4,\"user\":{\"id\":6,\"login\":\"bob\"}},"
		    "{\"id\":5,\"user\":null}]}" },
		{ "reporter.login,closed_by.login,assignees.id",
		    "{\"closedBy\":null,\"assignees\":[{\"id\":5},{\"id\":6}],"
		    "\"reporter\":{\"login\":\"ann\"}}" },
		{ "reactions.total_count,milestone.title,isPr",
		    "{\"isPr\":true,\"milestone\":{\"title\":\"v1, \\\"x\\\"\"},"
		    "\"reactions\":{\"totalCount\":0}}" },
		{ "comments.otherJson", "{\"comments\":[{},{}]}" },
		{ "base.sha,review_comments.path", "{\"base\":null,\"reviewComments\":[]}" },
		{ "reporter.id,reporter", "{\"reporter\":{\"id\":5,\"login\":\"ann\"}}" },
	};

	say_everything(*state, 7);
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_string_equal(picked(*state, 7, cases[n].mask), cases[n].want);
}

/* Every field is named, but not all of them whole. */
static void
a_path_beside_all_stored_fields_is_still_a_path(void **state)
{
	char mask[1024] = "reactions.totalCount,body";
	json_t *all, *got;

	say_everything(*state, 7);
	for (unsigned m = 0; m < SNAP_M_COUNT; m++) {
		if (m != SNAP_M_REACTIONS) {
			strcat(mask, ",");
			strcat(mask, snap_member_key((enum snap_member)m));
		}
	}
	all = json_loads(shown(*state, 7, FIELDS_STORED | FIELD_BIT(FIELD_BODY)), 0, NULL);
	json_object_clear(json_object_get(all, "reactions"));
	json_object_set_new(json_object_get(all, "reactions"), "totalCount", json_integer(0));
	got = json_loads(picked(*state, 7, mask), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(got);
	assert_json_equal(got, all);
	json_decref(got);
	json_decref(all);
}

/* Damage in a row must not make us read or write beyond it. */
static void
picking_from_what_is_no_json_is_damage(void **state)
{
	static const char *const bad[] = { "{\"id\":1", "[{\"id\":1}", "{\"id\"}", "{id:1}",
		"{\"id\":1,}", "{,}", "[1,]", "{\"id\":\"x}", "[}",
		"{\"a-name-that-is-longer-than-any-we-know\":{\"id\":1},\"id\":]}" };

	(void)state;
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		struct buf out;

		buf_init(&out, 1000);
		buf_str(&out, "before");
		buf_str(&out, bad[n]);
		if (json_pick(&out, 6, FIELD_REPORTER, 1) != ERR_CORRUPT)
			fail_msg("%s became %s", bad[n], buf_cstr(&out));
		assert_true(out.len <= 6 + strlen(bad[n]));
		assert_memory_equal(out.ptr, "before", 6);
		buf_clear(&out);
	}
}

/* Whatever the mask, it is a subset of the whole, in the same order. */
static void
a_mask_shows_its_fields_alone(void **state)
{
	struct sync_rig *rig = *state;
	uint64_t seed = 42;
	json_t *all;

	rig_issue_says(rig, 7,
	    "{'title':'a \\\"title\\\"','bodyChange':{'val':'b'},'user':{'id':5,'login':'ann'},"
	    "'addLabel':[{'id':1,'name':'bug'}],'comment':[{'id':4,'body':'c'}],"
	    "'review':[{'id':4,'actorId':5,'state':'APPROVED'}],'pullRequest':true}");
	all = json_loads(shown(rig, 7, ALL), 0, NULL);
	assert_non_null(all);
	assert_int_equal(json_object_size(all), FIELD_COUNT);
	for (int n = 0; n < 300; n++) {
		uint64_t fields = (seed = seed * UINT64_C(6364136223846793005) + 1) & ALL;
		json_t *some = json_object(), *got;

		if (n < (int)FIELD_COUNT)
			fields = FIELD_BIT(n);
		for (unsigned f = 0; f < FIELD_COUNT; f++) {
			if ((fields & FIELD_BIT(f)) != 0)
				json_object_set(
				    some, field_key(f), json_object_get(all, field_key(f)));
		}
		got = json_loads(shown(rig, 7, fields), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(got);
		assert_json_equal(got, some);
		json_decref(got);
		json_decref(some);
	}
	assert_string_equal(shown(rig, 7, 0), "{}");
	json_decref(all);
}

static void
a_user_known_by_id_alone_has_no_login(void **state)
{
	rig_issue_says(*state, 7,
	    "{'user':{'id':5},'closedBy':{'id':6,'login':'bob'},"
	    "'assignees':[{'id':8},{'id':7,'login':'cat'}],"
	    "'comment':[{'id':1,'user':{'id':9}}],'review':[{'id':2,'actorId':10}]}");
	assert_issue(*state, 7,
	    "{'reporter':{'id':5,'login':''},'closedBy':{'id':6,'login':'bob'},"
	    "'assignees':[{'id':8,'login':''},{'id':7,'login':'cat'}],"
	    "'comments':[{'id':1,'user':{'id':9,'login':''},'createdAt':null,"
	    "'updatedAt':null,'body':'','authorAssociation':'',"
	    "'reactions':{'totalCount':0}}],"
	    "'reviews':[{'id':2,'actor':{'id':10,'login':''},'createdAt':null,"
	    "'updatedAt':null,'body':'',"
	    "'state':'','commitId':'','actorAssociation':''}]}");
}

#define C(id, minute) "{'id':" #id ",'created':'2020-01-01T00:" #minute ":00Z'}"
#define R(id, minute) "{'id':" #id ",'actorId':1,'created':'2020-01-01T00:" #minute ":00Z'}"

static void
assert_ids(struct sync_rig *rig, const char *key, const char *want)
{
	json_t *doc = json_loads(shown(rig, 7, ALL), 0, NULL), *c;
	char got[128] = "";
	size_t i;

	assert_non_null(doc);
	json_array_foreach(json_object_get(doc, key), i, c)
	{
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%d ",
		    (int)json_integer_value(json_object_get(c, "id")));
	}
	assert_string_equal(got, want);
	json_decref(doc);
}

static void
comments_and_reviews_come_in_the_order_of_time(void **state)
{
	static const struct {
		const char *facts, *want;
	} cases[] = {
		{ "{'comment':[" C(1, 10) "," C(2, 20) "," C(3, 30) "]}", "1 2 3 " },
		{ "{'comment':[" C(1, 30) "," C(2, 20) "," C(3, 10) "]}", "3 2 1 " },
		{ "{'comment':[" C(3, 10) "," C(1, 20) "," C(2, 20) "]}", "3 1 2 " },
		{ "{'comment':[" C(1, 10) "," C(2, 10) "]}", "1 2 " },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		assert_int_equal(rig_setup(state), 0);
		rig_issue_says(*state, 7, cases[n].facts);
		assert_ids(*state, "comments", cases[n].want);
		rig_teardown(state);
	}
	assert_int_equal(rig_setup(state), 0);
	rig_issue_says(*state, 7, "{'review':[" R(5, 10) "," R(3, 20) "," R(4, 15) "]}");
	assert_ids(*state, "reviews", "5 4 3 ");
	rig_issue_says(*state, 7, "{'deletedReview':[4]}");
	assert_ids(*state, "reviews", "5 3 ");
	rig_issue_says(*state, 7, "{'reviewComment':[" C(5, 10) "," C(6, 20) "]}");
	assert_ids(*state, "reviewComments", "5 6 ");
	rig_issue_says(*state, 7, "{'reviewComment':[" C(3, 20) "," C(4, 15) "]}");
	assert_ids(*state, "reviewComments", "5 4 3 6 ");
	rig_teardown(state);
}

static void
sorting_without_memory_is_an_error(void **state)
{
	struct sync_rig *rig = *state;
	struct snap_issue i;
	struct snap_view *v;
	struct arena small;
	struct buf out;

	rig_issue_says(rig, 7, "{'comment':[" C(1, 30) "," C(2, 20) "]}");
	arena_init(&small, 16);
	buf_init(&out, (size_t)1 << 20);
	v = fx_view(&rig->fx);
	assert_int_equal(snap_issue_get(v, 7, &i), 0);
	assert_int_equal(json_issue(v, &i, ALL, &small, &out), ERR_NOMEM);
	buf_reset(&out);
	assert_int_equal(json_issue(v, &i, FIELDS_DEFAULT, &small, &out), 0);
	snap_writer_view_end(v);
	buf_clear(&out);
	arena_clear(&small);
}

/* Texts that need escapes come out as they went in, in every place that holds a text. */
static void
texts_survive_the_way_through_snapshot_and_answer(void **state)
{
#define TEXT "\\\"\\\\/\\u0001\\b\\f\\n\\r\\t\\u007f\\u00e9\\u20ac\\ud83d\\ude00<&>"
	rig_issue_says(*state, 7,
	    "{'title':'" TEXT "','bodyChange':{'val':'" TEXT "'},"
	    "'addLabel':[{'id':1,'name':'" TEXT "'}],'milestoneId':1,'milestoneNum':2,"
	    "'milestoneTitle':'" TEXT "','user':{'id':5,'login':'" TEXT "'},"
	    "'comment':[{'id':4,'body':'" TEXT "'}],"
	    "'review':[{'id':4,'body':'" TEXT "'}],'stateReason':{'val':'" TEXT "'}}");
	assert_issue(*state, 7,
	    "{'title':'" TEXT "','body':'" TEXT "','labels':['" TEXT "'],"
	    "'milestone':{'number':2,'title':'" TEXT "'},"
	    "'reporter':{'id':5,'login':'" TEXT "'},'stateReason':'" TEXT "',"
	    "'comments':[{'id':4,'user':null,'createdAt':null,'updatedAt':null,"
	    "'body':'" TEXT "','authorAssociation':'','reactions':{'totalCount':0}}],"
	    "'reviews':[{'id':4,'actor':null,'createdAt':null,'updatedAt':null,"
	    "'body':'" TEXT "','state':'','commitId':'','actorAssociation':''}]}");
#undef TEXT
}

static void
labels_tell_priority_type_and_what_blocks(void **state)
{
	static const struct {
		const char *labels, *members;
	} cases[] = {
		{ "{'id':1,'name':'Priority: P2'},{'id':2,'name':'a p0'}",
		    "{'labels':['a p0','Priority: "
		    "P2'],'priority':'P0','priorityUnknown':false}" },
		{ "{'id':1,'name':'p5'}",
		    "{'priority':'PRIORITY_UNSPECIFIED','priorityUnknown':true}" },
		{ "{'id':1,'name':'Kind/Bug'}", "{'issueType':'BUG'}" },
		{ "{'id':1,'name':'debug'}", "{'issueType':'GITHUB_ISSUE_TYPE_UNSPECIFIED'}" },
		{ "{'id':1,'name':'Enhancement'}", "{'issueType':'FEATURE'}" },
		{ "{'id':1,'name':'feature request'},{'id':2,'name':'bug'}",
		    "{'issueType':'BUG'}" },
		{ "{'id':1,'name':'type: question'}", "{'issueType':'QUESTION'}" },
		{ "{'id':1,'name':'cleanup'}", "{'issueType':'CLEANUP'}" },
		{ "{'id':1,'name':'type: process'}", "{'issueType':'PROCESS'}" },
		{ "{'id':1,'name':'Blocked'}", "{'blocked':true,'releaseBlocking':false}" },
		{ "{'id':1,'name':'release blocking'}",
		    "{'blocked':false,'releaseBlocking':true}" },
		{ "{'id':1,'name':'blocked'},{'id':2,'name':'blocking'}",
		    "{'blocked':true,'releaseBlocking':true}" },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		char facts[256];

		assert_int_equal(rig_setup(state), 0);
		snprintf(facts, sizeof(facts), "{'addLabel':[%s]}", cases[n].labels);
		rig_issue_says(*state, 7, facts);
		assert_issue(*state, 7, cases[n].members);
		rig_teardown(state);
	}
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RIG(an_issue_without_facts_has_every_field_at_its_default),
		WITH_RIG(a_mask_shows_its_fields_alone),
		WITH_RIG(each_path_leaves_what_it_names),
		WITH_RIG(paths_stand_beside_each_other_and_beside_whole_fields),
		WITH_RIG(a_path_beside_all_stored_fields_is_still_a_path),
		cmocka_unit_test(picking_from_what_is_no_json_is_damage),
		WITH_RIG(a_user_known_by_id_alone_has_no_login),
		cmocka_unit_test(comments_and_reviews_come_in_the_order_of_time),
		WITH_RIG(sorting_without_memory_is_an_error),
		WITH_RIG(texts_survive_the_way_through_snapshot_and_answer),
		cmocka_unit_test(labels_tell_priority_type_and_what_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
