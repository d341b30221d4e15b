"""The page: values of the rooms above in, HTML and Gradio's events out. static/ has scripts and
styles. Read chat.py first, then session.py and answer_html.py.
"""
