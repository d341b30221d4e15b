def role_problems(claim, sources, title):
    return ()
