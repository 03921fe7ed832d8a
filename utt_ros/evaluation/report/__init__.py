"""Tables, figures and the HTML report of an evaluation."""
