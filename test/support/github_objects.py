"""Builders of GitHub REST v3 objects, shared by the double and the generator.

Every function returns one JSON object with the fields that GitHub documents
for it, in the order in which api.github.com sends them:

  issues       https://docs.github.com/en/rest/issues/issues
  comments     https://docs.github.com/en/rest/issues/comments
  events       https://docs.github.com/en/rest/using-the-rest-api/issue-event-types
  pulls        https://docs.github.com/en/rest/pulls/pulls
  reviews      https://docs.github.com/en/rest/pulls/reviews
  labels       https://docs.github.com/en/rest/issues/labels
  milestones   https://docs.github.com/en/rest/issues/milestones

The functions are pure: ids and times are arguments.
"""

import base64
from urllib.parse import quote

API = "https://api.github.com"
WEB = "https://github.com"

GHOST_ID = 10137
GHOST_LOGIN = "ghost"

REACTION_KINDS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")

# Fields that `GET /pulls/{n}` has and the listing `GET /pulls` has not.
PULL_DETAIL_FIELDS = (
    "merged", "mergeable", "rebaseable", "mergeable_state", "merged_by",
    "comments", "review_comments", "maintainer_can_modify", "commits",
    "additions", "deletions", "changed_files",
)


def node_id(kind, number):
    """An opaque node id in GitHub's older form: base64 of type and id."""
    text = f"0{len(kind)}:{kind}{number}"
    return base64.b64encode(text.encode()).decode()


def user(login, user_id, kind="User", site_admin=False):
    base = f"{API}/users/{login}"
    return {
        "login": login,
        "id": user_id,
        "node_id": node_id(kind, user_id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{user_id}?v=4",
        "gravatar_id": "",
        "url": base,
        "html_url": f"{WEB}/{login}",
        "followers_url": f"{base}/followers",
        "following_url": f"{base}/following{{/other_user}}",
        "gists_url": f"{base}/gists{{/gist_id}}",
        "starred_url": f"{base}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{base}/subscriptions",
        "organizations_url": f"{base}/orgs",
        "repos_url": f"{base}/repos",
        "events_url": f"{base}/events{{/privacy}}",
        "received_events_url": f"{base}/received_events",
        "type": kind,
        "site_admin": site_admin,
    }


def team(name, team_id):
    """A team as a pull request and its events name it."""
    return {"id": team_id, "node_id": node_id("Team", team_id), "name": name, "slug": name.lower()}


def ghost():
    """The account that GitHub shows in the place of a deleted one."""
    return user(GHOST_LOGIN, GHOST_ID)


def reactions(url, total=0):
    answer = {"url": f"{url}/reactions", "total_count": total}
    answer.update({kind: 0 for kind in REACTION_KINDS})
    if total:
        answer["+1"] = total
    return answer


def label(full_name, label_id, name, color="ededed", description=None):
    return {
        "id": label_id,
        "node_id": node_id("Label", label_id),
        "url": f"{API}/repos/{full_name}/labels/{quote(name, safe='')}",
        "name": name,
        "color": color,
        "default": name in ("bug", "enhancement", "question"),
        "description": description,
    }


def milestone(full_name, milestone_id, number, title, creator, created_at,
              state="open", due_on=None, closed_at=None, description=None):
    url = f"{API}/repos/{full_name}/milestones/{number}"
    return {
        "url": url,
        "html_url": f"{WEB}/{full_name}/milestone/{number}",
        "labels_url": f"{url}/labels",
        "id": milestone_id,
        "node_id": node_id("Milestone", milestone_id),
        "number": number,
        "title": title,
        "description": description,
        "creator": creator,
        "open_issues": 0,
        "closed_issues": 0,
        "state": state,
        "created_at": created_at,
        "updated_at": created_at,
        "due_on": due_on,
        "closed_at": closed_at,
    }


def _issue_head(full_name, issue_id, number, title, author, created_at, is_pull):
    url = f"{API}/repos/{full_name}/issues/{number}"
    page = "pull" if is_pull else "issues"
    return {
        "url": url,
        "repository_url": f"{API}/repos/{full_name}",
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{WEB}/{full_name}/{page}/{number}",
        "id": issue_id,
        "node_id": node_id("PullRequest" if is_pull else "Issue", issue_id),
        "number": number,
        "title": title,
        "user": author,
        "labels": [],
        "state": "open",
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": created_at,
        "updated_at": created_at,
        "closed_at": None,
        "author_association": "NONE",
        "type": None,
        "active_lock_reason": None,
    }


def issue(full_name, issue_id, number, title, author, created_at, body, draft=None):
    """An issue object; with `draft` True or False it is that of a pull request."""
    is_pull = draft is not None
    answer = _issue_head(full_name, issue_id, number, title, author, created_at, is_pull)
    if is_pull:
        web = f"{WEB}/{full_name}/pull/{number}"
        answer["draft"] = draft
        answer["pull_request"] = {
            "url": f"{API}/repos/{full_name}/pulls/{number}",
            "html_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
            "merged_at": None,
        }
    else:
        answer["sub_issues_summary"] = {"total": 0, "completed": 0, "percent_completed": 0}
        answer["issue_dependencies_summary"] = {
            "blocked_by": 0, "total_blocked_by": 0, "blocking": 0, "total_blocking": 0}
    answer.update({
        "body": body,
        "closed_by": None,
        "reactions": reactions(answer["url"]),
        "timeline_url": f"{answer['url']}/timeline",
        "performed_via_github_app": None,
        "state_reason": None,
    })
    return answer


def branch_side(owner, repo, ref, sha):
    """The `head` or `base` of a pull request; `repo` None: the fork is gone."""
    short = None
    if repo is not None:
        short = {key: repo[key] for key in (
            "id", "node_id", "name", "full_name", "private", "fork", "html_url", "url")}
    login = owner["login"] if owner else "unknown"
    return {"label": f"{login}:{ref}", "ref": ref, "sha": sha, "user": owner, "repo": short}


def pull(full_name, pull_id, issue_object, head, base):
    """The pull request object that goes with the issue object of one number."""
    number = issue_object["number"]
    url = f"{API}/repos/{full_name}/pulls/{number}"
    web = f"{WEB}/{full_name}/pull/{number}"
    issue_url = issue_object["url"]
    answer = {
        "url": url,
        "id": pull_id,
        "node_id": node_id("PullRequest", pull_id),
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": issue_url,
        "number": number,
        "state": "open",
        "locked": False,
        "title": issue_object["title"],
        "user": issue_object["user"],
        "body": issue_object["body"],
        "created_at": issue_object["created_at"],
        "updated_at": issue_object["updated_at"],
        "closed_at": None,
        "merged_at": None,
        "merge_commit_sha": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "draft": issue_object["draft"],
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{API}/repos/{full_name}/pulls/comments{{/number}}",
        "comments_url": f"{issue_url}/comments",
        "statuses_url": f"{API}/repos/{full_name}/statuses/{head['sha']}",
        "head": head,
        "base": base,
        "_links": _pull_links(full_name, number, head["sha"]),
        "author_association": issue_object["author_association"],
        "auto_merge": None,
        "active_lock_reason": None,
    }
    answer.update(_pull_detail())
    return answer


def _pull_links(full_name, number, sha):
    api = f"{API}/repos/{full_name}"
    return {
        "self": {"href": f"{api}/pulls/{number}"},
        "html": {"href": f"{WEB}/{full_name}/pull/{number}"},
        "issue": {"href": f"{api}/issues/{number}"},
        "comments": {"href": f"{api}/issues/{number}/comments"},
        "review_comments": {"href": f"{api}/pulls/{number}/comments"},
        "review_comment": {"href": f"{api}/pulls/comments{{/number}}"},
        "commits": {"href": f"{api}/pulls/{number}/commits"},
        "statuses": {"href": f"{api}/statuses/{sha}"},
    }


def _pull_detail():
    return {
        "merged": False,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": None,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": 1,
        "additions": 0,
        "deletions": 0,
        "changed_files": 1,
    }


def comment(full_name, comment_id, number, is_pull, author, created_at, body,
            association="NONE"):
    url = f"{API}/repos/{full_name}/issues/comments/{comment_id}"
    page = "pull" if is_pull else "issues"
    return {
        "url": url,
        "html_url": f"{WEB}/{full_name}/{page}/{number}#issuecomment-{comment_id}",
        "issue_url": f"{API}/repos/{full_name}/issues/{number}",
        "id": comment_id,
        "node_id": node_id("IssueComment", comment_id),
        "user": author,
        "created_at": created_at,
        "updated_at": created_at,
        "author_association": association,
        "body": body,
        "reactions": reactions(url),
        "performed_via_github_app": None,
    }


def event(full_name, event_id, kind, actor, created_at, commit_id=None, **more):
    """An issue event; `more` holds the fields of that kind (label, rename ...)."""
    commit_url = None
    if commit_id is not None:
        commit_repo = more.pop("commit_repo", full_name)
        commit_url = f"{API}/repos/{commit_repo}/commits/{commit_id}"
    answer = {
        "id": event_id,
        "node_id": node_id("".join(w.title() for w in kind.split("_")) + "Event", event_id),
        "url": f"{API}/repos/{full_name}/issues/events/{event_id}",
        "actor": actor,
        "event": kind,
        "commit_id": commit_id,
        "commit_url": commit_url,
        "created_at": created_at,
    }
    answer.update(more)
    answer["performed_via_github_app"] = None
    return answer


def review(full_name, review_id, number, author, submitted_at, state, body, commit_id,
           association="NONE"):
    web = f"{WEB}/{full_name}/pull/{number}#pullrequestreview-{review_id}"
    url = f"{API}/repos/{full_name}/pulls/{number}"
    return {
        "id": review_id,
        "node_id": node_id("PullRequestReview", review_id),
        "user": author,
        "body": body,
        "state": state,
        "html_url": web,
        "pull_request_url": url,
        "author_association": association,
        "_links": {"html": {"href": web}, "pull_request": {"href": url}},
        "submitted_at": submitted_at,
        "commit_id": commit_id,
    }


def review_comment(full_name, comment_id, number, review_id, author, created_at, body,
                   commit_id, path, line, in_reply_to=None, association="NONE"):
    url = f"{API}/repos/{full_name}/pulls/comments/{comment_id}"
    web = f"{WEB}/{full_name}/pull/{number}#discussion_r{comment_id}"
    pull_url = f"{API}/repos/{full_name}/pulls/{number}"
    answer = {
        "url": url,
        "pull_request_review_id": review_id,
        "id": comment_id,
        "node_id": node_id("PullRequestReviewComment", comment_id),
        "diff_hunk": f"@@ -{line},4 +{line},4 @@\n int total;\n-\treturn 0;\n+\treturn total;",
        "path": path,
        "commit_id": commit_id,
        "original_commit_id": commit_id,
        "user": author,
        "body": body,
        "created_at": created_at,
        "updated_at": created_at,
        "html_url": web,
        "pull_request_url": pull_url,
        "author_association": association,
        "_links": {"self": {"href": url}, "html": {"href": web},
                   "pull_request": {"href": pull_url}},
        "reactions": reactions(url),
        "start_line": None,
        "original_start_line": None,
        "start_side": None,
        "line": line,
        "original_line": line,
        "side": "RIGHT",
        "original_position": 4,
        "position": 4,
        "subject_type": "line",
    }
    if in_reply_to is not None:
        answer["in_reply_to_id"] = in_reply_to
    return answer


def repository(full_name, repo_id, owner, created_at, open_issues=0):
    """GET /repos/{owner}/{repo}, https://docs.github.com/en/rest/repos/repos"""
    name = full_name.split("/")[1]
    url = f"{API}/repos/{full_name}"
    web = f"{WEB}/{full_name}"
    return {
        "id": repo_id,
        "node_id": node_id("Repository", repo_id),
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": owner,
        "html_url": web,
        "description": "Made-up repository for tests",
        "fork": False,
        "url": url,
        "events_url": f"{url}/events",
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments{{/number}}",
        "pulls_url": f"{url}/pulls{{/number}}",
        "issues_url": f"{url}/issues{{/number}}",
        "issue_events_url": f"{url}/issues/events{{/number}}",
        "issue_comment_url": f"{url}/issues/comments{{/number}}",
        "milestones_url": f"{url}/milestones{{/number}}",
        "contents_url": f"{url}/contents/{{+path}}",
        "created_at": created_at,
        "updated_at": created_at,
        "pushed_at": created_at,
        "clone_url": f"{web}.git",
        "homepage": None,
        "size": 1024,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": "C",
        "has_issues": True,
        "has_projects": True,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": open_issues,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "topics": [],
        "visibility": "public",
        "forks": 0,
        "open_issues": open_issues,
        "watchers": 0,
        "default_branch": "main",
    }
